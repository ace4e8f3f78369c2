// SPDX-License-Identifier: MIT
// The queue of records and the thread that writes them; runs in the supervisor, as root.
#include "supervisor/records.hpp"

#include "base/log.hpp"
#include "supervisor/log_file.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <syslog.h>

namespace supervisor {

using namespace std::chrono_literals;
using Clock = LogFile::Clock;

namespace {

// A busy server's lines are written together, so often at most. A single line is written at once.
constexpr auto gathering = 20ms;
constexpr auto patience_at_stop = 3s;

// ----- where records go

struct Outputs {
    std::string own;  // path; empty: not written
    std::string xferlog;
    std::string json;
    bool syslog = false;
    bool lock = true;
};

// The same choice as vsftpd. A user's no_log_lock does not matter here: there is one writer for
// all.
Outputs outputs_of(const config::Configuration& configuration) {
    const auto& options = configuration.options;
    Outputs outputs;
    const bool files = options.xferlog_enable || options.dual_log_enable;
    if (files && (options.dual_log_enable || options.xferlog_std_format))
        outputs.xferlog = options.xferlog_file;
    if (files && (options.dual_log_enable || !options.xferlog_std_format) && !options.syslog_enable)
        outputs.own = options.vsftpd_log_file;
    outputs.json = configuration.native.json_log;
    outputs.syslog = options.syslog_enable;
    outputs.lock = !options.no_log_lock;
    return outputs;
}

// ident and facility are vsftpd's, so that rules for its lines match. The pid is the one of the
// client's process, which LOG_PID would not know.
void to_syslog(pid_t pid, int priority, const std::string& text) {
    const auto ident = "vsftpd[" + std::to_string(pid) + ']';
    ::openlog(ident.c_str(), 0, LOG_FTP);
    ::syslog(priority, "%s", text.c_str());
    ::openlog("vsftpd", 0, LOG_FTP);  // ident goes, and syslog(3) keeps the pointer
}

// Used by the thread alone.
class Sinks {
  public:
    explicit Sinks(Outputs outputs) { take(std::move(outputs)); }

    void take(Outputs outputs) {
        const bool relock = outputs.lock != outputs_.lock;
        replace(own_, outputs.own, outputs.lock, relock, lost_own_line);
        replace(xferlog_, outputs.xferlog, outputs.lock, relock, nullptr);
        replace(json_, outputs.json, outputs.lock, relock, lost_json_line);
        outputs_ = std::move(outputs);
    }

    void add(const Entry& entry) {
        if (entry.kind == Entry::Kind::died)
            return to_syslog(entry.pid, LOG_WARNING, own_text(entry));
        if (own_) own_->add(own_line(entry));
        if (xferlog_ && is_transfer(entry.kind)) xferlog_->add(xferlog_line(entry));
        if (json_) json_->add(json_line(entry));
        if (!outputs_.syslog) return;
        const bool failed_login = entry.kind == Entry::Kind::login && !entry.success;
        to_syslog(entry.pid, failed_login ? LOG_WARNING : LOG_INFO, own_text(entry));
    }

    void lost(std::uint64_t count) {
        base::log::warning("the logs are too slow: " + lost_text(count));
        if (own_) own_->add(lost_own_line(count));
        if (json_) json_->add(lost_json_line(count));
        if (outputs_.syslog) to_syslog(::getpid(), LOG_WARNING, lost_text(count));
    }

    void flush() {
        for_each([](LogFile& file) { file.flush(Clock::now()); });
    }
    void reopen() {
        for_each([](LogFile& file) { file.reopen(); });
    }
    void finish() {
        for_each([](LogFile& file) { file.finish(); });
    }

    // When flush() is to be called although there is nothing new.
    [[nodiscard]] std::optional<Clock::time_point> due() const {
        std::optional<Clock::time_point> first;
        for (const auto* file : {&own_, &xferlog_, &json_}) {
            const auto one = *file ? (*file)->due() : std::nullopt;
            if (one && (!first || *one < *first)) first = one;
        }
        return first;
    }

  private:
    static void replace(std::optional<LogFile>& file, const std::string& path, bool lock,
                        bool relock, LogFile::LostLine lost_line) {
        if (file && file->path() == path && !relock) return;
        if (file) file->finish();
        file.reset();
        if (!path.empty()) file.emplace(path, lock, std::move(lost_line));
    }

    template <typename Do>
    void for_each(Do what) {
        for (auto* file : {&own_, &xferlog_, &json_}) {
            if (*file) what(**file);
        }
    }

    Outputs outputs_;
    std::optional<LogFile> own_;
    std::optional<LogFile> xferlog_;
    std::optional<LogFile> json_;
};

std::size_t cost(const Entry& entry) {
    return sizeof entry + entry.user.size() + entry.client.size() + entry.shown_password.size() +
           entry.reason.size() + entry.path.size() + entry.second.size();
}

}  // namespace

// ----- the queue

struct Records::Queue {
    struct Batch {
        std::vector<Entry> entries;
        std::uint64_t lost = 0;  // after these
        std::optional<Outputs> outputs;
        bool reopen = false;
        bool last = false;
    };

    void add(Entry entry);
    void change(std::optional<Outputs> outputs, bool reopen);
    // True when the thread has written everything in time.
    [[nodiscard]] bool stop();

    // The thread.
    static void serve(const std::shared_ptr<Queue>& queue, Outputs outputs);
    [[nodiscard]] Batch take(std::optional<Clock::time_point> due, Clock::time_point not_before);

    std::mutex mutex;
    std::condition_variable wake;
    std::condition_variable ended;
    Batch batch;
    std::size_t bytes = 0;
    bool done = false;
};

void Records::Queue::add(Entry entry) {
    const auto size = cost(entry);
    const std::lock_guard lock(mutex);
    if (batch.last) return;
    if (bytes + size > most_queued) {
        ++batch.lost;
        return;
    }
    const bool was_empty = batch.entries.empty();
    const bool half_full = bytes <= most_queued / 2 && bytes + size > most_queued / 2;
    bytes += size;
    batch.entries.push_back(std::move(entry));
    if (was_empty || half_full) wake.notify_one();
}

void Records::Queue::change(std::optional<Outputs> outputs, bool reopen) {
    const std::lock_guard lock(mutex);
    if (outputs) batch.outputs = std::move(outputs);
    batch.reopen = batch.reopen || reopen;
    wake.notify_one();
}

bool Records::Queue::stop() {
    std::unique_lock lock(mutex);
    batch.last = true;
    wake.notify_one();
    return ended.wait_for(lock, patience_at_stop, [&] { return done; });
}

Records::Queue::Batch Records::Queue::take(std::optional<Clock::time_point> due,
                                           Clock::time_point not_before) {
    std::unique_lock lock(mutex);
    const auto anything = [&] {
        return !batch.entries.empty() || batch.lost > 0 || batch.outputs || batch.reopen ||
               batch.last;
    };
    if (due)
        (void)wake.wait_until(lock, *due, anything);
    else
        wake.wait(lock, anything);
    (void)wake.wait_until(lock, not_before, [&] { return bytes > most_queued / 2 || batch.last; });
    auto taken = std::exchange(batch, Batch{});
    batch.last = taken.last;
    bytes = 0;
    return taken;
}

// New outputs are for what comes later: a batch is a moment's records.
void Records::Queue::serve(const std::shared_ptr<Queue>& queue, Outputs outputs) {
    Sinks sinks(std::move(outputs));
    sinks.flush();  // so that the files are there
    auto last_write = Clock::now() - gathering;
    for (bool last = false; !last;) {
        auto batch = queue->take(sinks.due(), last_write + gathering);
        last = batch.last;
        for (const auto& entry : batch.entries) sinks.add(entry);
        if (batch.lost > 0) sinks.lost(batch.lost);
        if (batch.reopen) sinks.reopen();
        sinks.flush();
        last_write = Clock::now();
        if (batch.outputs) {
            sinks.take(std::move(*batch.outputs));
            sinks.flush();
        }
    }
    sinks.finish();
    const std::lock_guard lock(queue->mutex);
    queue->done = true;
    queue->ended.notify_all();
}

// ----- Records

Records::Records(const config::Configuration& configuration) : queue_(std::make_shared<Queue>()) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    thread_ = std::thread(&Queue::serve, queue_, outputs_of(configuration));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Records::~Records() { stop(); }

void Records::write(Entry entry) { queue_->add(std::move(entry)); }

void Records::reopen() { queue_->change(std::nullopt, true); }

void Records::reconfigure(const config::Configuration& configuration) {
    queue_->change(outputs_of(configuration), false);
}

void Records::stop() {
    if (!thread_.joinable()) return;
    if (queue_->stop()) return thread_.join();
    base::log::error("the logs do not take the last records, they are lost");
    thread_.detach();
}

}  // namespace supervisor
