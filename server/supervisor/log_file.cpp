// SPDX-License-Identifier: MIT
// Appends to a log file, come what may; runs in the supervisor's thread for logs, as root.
#include "supervisor/log_file.hpp"

#include "base/log.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

namespace supervisor {

using namespace std::chrono_literals;

namespace {

// A reader of a pipe has this long to make room.
constexpr int pipe_patience_ms = 100;
constexpr auto lock_patience = 1s;
constexpr auto lock_interval = 10ms;

struct flock whole_file(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

LogFile::LogFile(std::string path, bool lock, LostLine lost_line)
    : path_(std::move(path)), lock_(lock), lost_line_(std::move(lost_line)) {}

void LogFile::add(std::string_view line) {
    if (waiting_.size() + line.size() >= most_waiting) flush(Clock::now());
    if (waiting_.size() + line.size() >= most_waiting) {
        ++lost_;
        return;
    }
    (waiting_ += line) += '\n';
}

void LogFile::flush(Clock::time_point now, bool last_try) {
    if (now < next_try_ && !last_try) return;
    if (file_ && now >= next_look_) {
        next_look_ = now + look_interval;
        if (moved()) file_.close();
    }
    if (!file_) {
        auto opened = open();
        if (!opened) return failed(opened.error(), now);
        next_look_ = now + look_interval;
    }
    if (auto appended = append(); !appended) return failed(appended.error(), now);
    works();
}

std::optional<LogFile::Clock::time_point> LogFile::due() const {
    if (waiting_.empty()) return std::nullopt;
    return next_try_;
}

void LogFile::reopen() {
    file_.close();
    next_try_ = {};
}

void LogFile::finish() {
    flush(Clock::now(), true);
    lost_ += static_cast<std::uint64_t>(std::count(waiting_.begin(), waiting_.end(), '\n'));
    if (lost_ > 0) report_lost();
    waiting_.clear();
}

bool LogFile::moved() const {
    struct stat named {};
    if (::stat(path_.c_str(), &named) < 0) return errno == ENOENT || errno == ENOTDIR;
    return named.st_dev != device_ || named.st_ino != number_;
}

// Links are followed: container images make the log one to /proc/1/fd/1. Non-blocking is for pipes
// and terminals, whose readers may be slow or absent.
base::Result<void> LogFile::open() {
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    base::Fd file{::open(path_.c_str(), flags, 0600)};
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) < 0)
        return base::system_error("cannot open " + base::quoted(path_));
    file_ = std::move(file);
    regular_ = S_ISREG(status.st_mode);
    // Half a line is of no use to another file.
    if (status.st_dev != device_ || status.st_ino != number_) torn_ = 0;
    device_ = status.st_dev;
    number_ = status.st_ino;
    return base::success();
}

base::Result<void> LogFile::append() {
    if (waiting_.empty()) return base::success();
    const bool locked = lock_ && regular_ && wait_for_lock();
    base::Result<void> result = base::success();
    while (!waiting_.empty()) {
        const auto count = ::write(file_.get(), waiting_.data() + torn_, waiting_.size() - torn_);
        if (count > 0) {
            written(static_cast<std::size_t>(count));
            continue;
        }
        if (count < 0 && errno == EAGAIN) {
            pollfd room{file_.get(), POLLOUT, 0};
            if (::poll(&room, 1, pipe_patience_ms) > 0 && (room.revents & POLLOUT) != 0) continue;
            errno = EAGAIN;
        }
        result = base::system_error("cannot write to " + base::quoted(path_));
        // A pipe whose reader has gone, a network file system that forgot us.
        if (errno != EAGAIN && !regular_) file_.close();
        break;
    }
    if (locked) unlock();
    return result;
}

// Keeps only lines of which something is still to be written.
void LogFile::written(std::size_t bytes) {
    const auto end = torn_ + bytes;
    const auto newline = std::string_view(waiting_).substr(0, end).rfind('\n');
    const auto whole = newline == std::string_view::npos ? 0 : newline + 1;
    waiting_.erase(0, whole);
    torn_ = end - whole;
}

// vsftpd's lock, for others that write to or read the file with it. Nobody can hold ours up by
// keeping it: after the patience has run out once, it is asked for only in passing, and lines are
// appended without it, which is safe as each write is one.
bool LogFile::wait_for_lock() {
    const auto deadline = Clock::now() + (lock_refused_ ? 0s : lock_patience);
    for (;;) {
        auto lock = whole_file(F_WRLCK);
        if (::fcntl(file_.get(), F_OFD_SETLK, &lock) == 0) {
            lock_refused_ = false;
            return true;
        }
        if (errno != EAGAIN && errno != EACCES) return false;  // a file system without locks
        if (Clock::now() >= deadline) break;
        std::this_thread::sleep_for(lock_interval);
    }
    if (!std::exchange(lock_refused_, true))
        base::log::warning(base::quoted(path_) +
                           " is locked by another process, lines are written to it regardless");
    return false;
}

void LogFile::unlock() {
    auto lock = whole_file(F_UNLCK);
    (void)::fcntl(file_.get(), F_OFD_SETLK, &lock);
}

void LogFile::failed(const base::Error& error, Clock::time_point now) {
    next_try_ = now + retry_interval;
    if (std::exchange(failing_, true)) return;
    base::log::error(error.text() + "; it is tried again, meanwhile clients are served as ever");
}

void LogFile::works() {
    next_try_ = {};
    if (std::exchange(failing_, false))
        base::log::info(base::quoted(path_) + " can be written again");
    if (lost_ == 0) return;
    report_lost();
    if (lost_line_) (void)append();  // else it waits as any line
}

void LogFile::report_lost() {
    const auto count = std::exchange(lost_, 0);
    base::log::warning(base::quoted(path_) + ": " + std::to_string(count) + " records lost");
    if (lost_line_) add(lost_line_(count));
}

}  // namespace supervisor
