// SPDX-License-Identifier: MIT
// The loops that move bytes; run in the session. Plain downloads are sendfile(2), plain uploads
// splice(2) through a pipe, so that the bytes are not copied through this process. Over TLS many
// records go with one system call.
#include "session/transfer.hpp"

#include "ftp/xfer_ascii.hpp"
#include "session/shared_clock.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <vector>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace session {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// One read or write; after so much the control connection is looked at.
constexpr std::size_t copy_chunk = std::size_t{128} << 10;
constexpr std::size_t tls_chunk = std::size_t{256} << 10;
constexpr std::size_t kernel_chunk = std::size_t{1} << 20;
// Of an upload, which may be no more than that: memory is asked of the kernel for larger ones.
constexpr std::uint64_t first_read = 16 << 10;
// Uploads up to here are not worth a pipe.
constexpr std::uint64_t copied_first = 256 << 10;
// Downloads up to here are not worth sendfile(2).
constexpr std::uint64_t copied_whole = 16 << 10;
// With a rate limit a step is an eighth of a second's bytes, within these bounds.
constexpr std::uint64_t smallest_step = 1 << 10;
constexpr std::uint64_t largest_step = 64 << 10;  // vsftpd's
// What a late step may make up for: a client that stood still gets no more than that at once.
constexpr milliseconds most_late{250};

End end_for(int number) {
    return number == ENOSPC || number == EDQUOT || number == EFBIG ? End::no_space : End::file;
}

// What ended a transfer before its time.
using Ended = std::optional<End>;

class Flow {
  public:
    Flow(const base::Fd& data, const Terms& terms, Watch& watch)
        : data_(data),
          terms_(terms),
          watch_(watch),
          start_(Clock::now()),
          due_(start_),
          last_byte_(start_) {}

    // Until the data connection can be read or written, whatever is said meanwhile.
    Ended wait(short events) {
        for (;;) {
            if (const auto ended = stood_still()) return ended;
            const auto most = patience();
            const auto ready = poll(
                events, most ? std::chrono::ceil<milliseconds>(last_byte_ + *most - Clock::now())
                             : milliseconds(-1));
            if (ready < 0) return End::aborted;
            if (ready > 0) return std::nullopt;
        }
    }

    // The control connection has a look-in between steps that did not wait.
    Ended look() {
        if (moved_ - looked_at_ < copy_chunk) return std::nullopt;
        return poll(0, milliseconds(0)) < 0 ? Ended{End::aborted} : std::nullopt;
    }
    // And between steps that brought no bytes.
    Ended glance() {
        if (const auto ended = stood_still()) return ended;
        return poll(0, milliseconds(0)) < 0 ? Ended{End::aborted} : std::nullopt;
    }

    // So many bytes went; with a limit, the next ones have to wait for their time.
    Ended moved(std::uint64_t bytes) {
        moved_ += bytes;
        last_byte_ = Clock::now();
        if (terms_.rate == 0) return std::nullopt;
        due_ = std::max(due_, last_byte_ - most_late) + time_for(bytes);
        const auto until = terms_.clock != nullptr ? terms_.clock->book(time_for(bytes)) : due_;
        for (auto now = Clock::now(); now < until; now = Clock::now()) {
            if (poll(0, std::chrono::ceil<milliseconds>(until - now)) < 0) return End::aborted;
        }
        last_byte_ = Clock::now();
        return std::nullopt;
    }

    [[nodiscard]] Clock::duration time_for(std::uint64_t bytes) const {
        const std::chrono::duration<double> time(static_cast<double>(bytes) /
                                                 static_cast<double>(terms_.rate));
        return std::chrono::duration_cast<Clock::duration>(time);
    }

    // The size of the next step.
    [[nodiscard]] std::size_t step(std::size_t most) const {
        std::uint64_t bytes = most;
        if (terms_.rate > 0)
            bytes = std::min(bytes, std::clamp(terms_.rate / 8, smallest_step, largest_step));
        if (terms_.chunk > 0) bytes = std::min<std::uint64_t>(bytes, std::max(terms_.chunk, 1U));
        return static_cast<std::size_t>(bytes);
    }

    // All of it, as the client takes it. Over TLS the end of the stream goes with the last bytes,
    // in one packet: delivered() must follow. In clear text that costs more than the packet: bytes
    // alone are acknowledged at once, with the end it can take until their reader comes for them.
    Ended send(std::string_view bytes, bool last = false) {
        if (secure()) return send_secure(bytes, last && terms_.rate == 0);
        const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
        while (!bytes.empty()) {
            const auto sent = ::send(data_.get(), bytes.data(), step(bytes.size()), flags);
            if (sent >= 0) {
                bytes.remove_prefix(static_cast<std::size_t>(sent));
                if (auto ended = moved(static_cast<std::uint64_t>(sent))) return ended;
            } else if (errno == EAGAIN) {
                if (auto ended = wait(POLLOUT)) return ended;
            } else if (errno != EINTR) {
                return End::network;
            }
        }
        return std::nullopt;
    }

    // The last byte was sent when the client's host has it, as vsftpd's lingering close says. A
    // client that closes its end says so at once; for one that waits for our 226 there is only
    // looking again.
    End delivered() {
        if (secure()) {
            if (const auto ended = say_goodbye()) return *ended;
        }
        // It cannot be shut down when the client has broken the connection.
        bool over = ::shutdown(data_.get(), SHUT_WR) < 0;
        const int our_fin = over ? 0 : 1;  // counts as a byte
        last_byte_ = Clock::now();
        short closing = POLLRDHUP;
        int before = -1;
        for (auto pause = milliseconds(1);; pause = std::min(pause * 2, milliseconds(16))) {
            int left = 0;
            // A client that has everything may break the connection: that loses nothing.
            if (::ioctl(data_.get(), SIOCOUTQ, &left) < 0) return End::network;
            if (left <= our_fin) return End::complete;
            if (over) return End::network;
            over = broken();
            if (over) continue;
            if (left != before) last_byte_ = Clock::now();
            before = left;
            if (const auto ended = stood_still()) return *ended;
            const auto came = poll(closing, pause);
            if (came < 0) return End::aborted;
            if (came > 0) closing = 0;
        }
    }

    // Bytes of a step that failed.
    void count(std::uint64_t bytes) { moved_ += bytes; }

    // Of a call on the file that has just failed.
    End file_failed(int number) {
        file_error_ = number;
        return end_for(number);
    }

    Transferred finished(End end) const {
        Transferred result;
        result.end = end;
        if (end == End::file || end == End::no_space) result.number = file_error_;
        result.bytes = moved_;
        result.time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start_);
        return result;
    }

    [[nodiscard]] int data() const { return data_.get(); }
    [[nodiscard]] bool secure() const { return terms_.tls != nullptr; }

    // As sendfile(2), by which the kernel encrypts if TLS is its business.
    [[nodiscard]] bool sends_files() const { return !secure() || terms_.tls->sends_files(); }
    ssize_t send_from(const base::Fd& file, off_t& position, std::size_t wanted) {
        if (!secure()) return ::sendfile(data_.get(), file.get(), &position, wanted);
        std::size_t sent = 0;
        if (terms_.tls->send_file(file.get(), position, wanted, sent) != tls::Step::done) return -1;
        position += static_cast<off_t>(sent);
        return static_cast<ssize_t>(sent);
    }

    // As many bytes as are there, up to the size of a step; none when it is the end.
    Ended receive(std::span<char> space, std::size_t& got) {
        got = 0;
        return secure() ? receive_secure(space.first(step(space.size())), got)
                        : receive_plain(space.first(step(space.size())), got);
    }
    [[nodiscard]] std::uint64_t bytes() const { return moved_; }

  private:
    // The client sends when it has read our 150, so at first there is nothing.
    Ended receive_plain(std::span<char> space, std::size_t& got) {
        if (moved_ == 0) {
            if (auto ended = wait(POLLIN)) return ended;
        }
        for (;;) {
            const auto count = ::recv(data_.get(), space.data(), space.size(), MSG_DONTWAIT);
            if (count >= 0) return got = static_cast<std::size_t>(count), std::nullopt;
            if (errno == EINTR) continue;
            if (errno != EAGAIN) return End::network;
            if (auto ended = wait(POLLIN)) return ended;
        }
    }

    // Record after record, until there are no more or no room.
    Ended receive_secure(std::span<char> space, std::size_t& got) {
        while (!over_ && got < space.size()) {
            std::size_t count = 0;
            switch (terms_.tls->read(space.subspan(got), count)) {
                case tls::Step::done:
                    got += count;
                    break;
                case tls::Step::closed:
                    over_ = true;
                    // Some clients wait for the answer to their goodbye.
                    terms_.tls->say_goodbye();
                    (void)terms_.tls->flush();
                    break;
                case tls::Step::cut:
                    over_ = true;
                    if (terms_.strict_read_eof) stopped_ = End::cut;
                    break;
                case tls::Step::wait_to_read:
                    if (got > 0) return std::nullopt;
                    if (auto ended = terms_.tls->pending() ? glance() : wait(POLLIN)) return ended;
                    break;
                default:
                    over_ = true;
                    stopped_ = End::network;
            }
        }
        // What came before is written, for the client to go on from there.
        return got == 0 ? stopped_ : std::nullopt;
    }

    Ended send_secure(std::string_view bytes, bool last) {
        while (!bytes.empty()) {
            const auto part = bytes.substr(0, step(bytes.size()));
            if (!terms_.tls->write(part)) return End::network;
            bytes.remove_prefix(part.size());
            const bool ends = last && bytes.empty();
            if (ends) terms_.tls->say_goodbye();
            if (auto ended = flush(ends)) return ended;
            if (auto ended = moved(part.size())) return ended;
        }
        return std::nullopt;
    }

    // `ends`: delivered() follows.
    Ended flush(bool ends) {
        for (;;) {
            const auto before = terms_.tls->unsent();
            const auto step = terms_.tls->flush(ends && !terms_.strict_write_shutdown);
            if (step == tls::Step::done) return std::nullopt;
            if (step != tls::Step::wait_to_write) return End::network;
            if (terms_.tls->unsent() < before) last_byte_ = Clock::now();
            if (auto ended = wait(POLLOUT)) return ended;
        }
    }

    // strict_ssl_write_shutdown: the client has all of it when it says goodbye as well.
    Ended say_goodbye() {
        terms_.tls->say_goodbye();
        if (auto ended = flush(true)) return ended;
        last_byte_ = Clock::now();
        std::array<char, 4096> ignored;
        while (terms_.strict_write_shutdown) {
            std::size_t got = 0;
            switch (terms_.tls->read(ignored, got)) {
                case tls::Step::closed:
                    return std::nullopt;
                case tls::Step::done:
                    if (auto ended = glance()) return ended;
                    break;
                case tls::Step::wait_to_read:
                    if (auto ended = wait(POLLIN)) return ended;
                    break;
                default:
                    return End::network;
            }
        }
        return std::nullopt;
    }

    // Nothing: for ever.
    [[nodiscard]] std::optional<std::chrono::seconds> patience() const {
        if (watch_.gone())
            return terms_.timeout.count() > 0 ? std::min(terms_.timeout, last_patience)
                                              : last_patience;
        if (terms_.timeout.count() > 0) return terms_.timeout;
        return std::nullopt;
    }

    [[nodiscard]] Ended stood_still() const {
        const auto most = patience();
        if (!most || Clock::now() - last_byte_ < *most) return std::nullopt;
        return watch_.gone() ? End::network : End::timeout;
    }

    // 1: the data connection is ready; 0: not in that time; -1: the watch ends the transfer.
    // With no events only the watch and the time are waited for, and errors of the connection are
    // left to whoever uses it next.
    int poll(short events, milliseconds most) {
        looked_at_ = moved_;
        std::array<pollfd, 2> wanted{
            {{events != 0 ? data_.get() : -1, events, 0}, {watch_.fd(), POLLIN, 0}}};
        const auto count =
            ::poll(wanted.data(), wanted.size(),
                   static_cast<int>(std::min<std::int64_t>(most.count(), 3'600'000)));
        if (count <= 0) return 0;
        if (wanted[1].revents != 0 && !watch_.on_readable()) return -1;
        return wanted[0].revents != 0 ? 1 : 0;
    }

    [[nodiscard]] bool broken() const {
        int number = 0;
        socklen_t size = sizeof number;
        return ::getsockopt(data_.get(), SOL_SOCKET, SO_ERROR, &number, &size) < 0 || number != 0;
    }

    const base::Fd& data_;
    Terms terms_;
    Watch& watch_;
    Clock::time_point start_;
    Clock::time_point due_;  // when what has moved is as slow as the limit
    Clock::time_point last_byte_;
    std::uint64_t moved_ = 0;
    std::uint64_t looked_at_ = 0;
    int file_error_ = 0;
    bool over_ = false;  // the client has ended its TLS stream
    Ended stopped_;      // or it has stopped in another way
};

// Not touched before it is filled; small where little is expected.
struct Buffer {
    std::size_t size;
    std::unique_ptr<char[]> bytes;

    static Buffer for_a_step(const Flow& flow, std::optional<std::uint64_t> expected) {
        auto size = flow.secure() ? tls_chunk : copy_chunk;
        if (expected) size = static_cast<std::size_t>(std::min<std::uint64_t>(size, *expected));
        return {size, std::make_unique_for_overwrite<char[]>(size)};
    }
};

// ----- downloads

// Reads and sends, converted if so wanted. Without a length: to the end of the file.
Ended copy_out(const base::Fd& file, std::uint64_t offset, std::optional<std::uint64_t> length,
               bool ascii, Flow& flow) {
    const auto buffer = Buffer::for_a_step(flow, length);
    ftp::ToNetwork lines;
    std::string converted;
    while (!length || *length > 0) {
        auto wanted = buffer.size;
        if (length) wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, *length));
        const auto got =
            ::pread(file.get(), buffer.bytes.get(), flow.step(wanted), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return flow.file_failed(errno);
        if (got == 0) return length ? Ended{End::shrank} : std::nullopt;
        offset += static_cast<std::uint64_t>(got);
        if (length) *length -= static_cast<std::uint64_t>(got);
        std::string_view bytes(buffer.bytes.get(), static_cast<std::size_t>(got));
        if (ascii) {
            converted.clear();
            lines.convert(bytes, converted);
            bytes = converted;
        }
        if (auto ended = flow.send(bytes, length && *length == 0)) return ended;
        if (auto ended = flow.look()) return ended;
    }
    return std::nullopt;
}

// False: this file cannot be sent so, and nothing has been sent.
bool sendfile_out(const base::Fd& file, std::uint64_t offset, std::uint64_t length, Flow& flow,
                  Ended& ended) {
    auto position = static_cast<off_t>(offset);
    while (length > 0) {
        const auto wanted =
            flow.step(static_cast<std::size_t>(std::min<std::uint64_t>(length, kernel_chunk)));
        const auto sent = flow.send_from(file, position, wanted);
        if (sent > 0) {
            length -= static_cast<std::uint64_t>(sent);
            if ((ended = flow.moved(static_cast<std::uint64_t>(sent)))) return true;
            if (length > 0 && (ended = flow.look())) return true;
        } else if (sent == 0) {
            ended = End::shrank;
            return true;
        } else if (errno == EAGAIN) {
            if ((ended = flow.wait(POLLOUT))) return true;
        } else if ((errno == EINVAL || errno == ENOSYS) && flow.bytes() == 0) {
            return false;
        } else if (errno != EINTR) {
            if (errno == EIO || errno == EINVAL || errno == EOVERFLOW)
                ended = flow.file_failed(errno);
            else
                ended = End::network;
            return true;
        }
    }
    return true;
}

// ----- uploads

// The file that an upload goes to.
class Target {
  public:
    // `end`: where the first byte goes; nothing when each goes to what is the end then.
    Target(const base::Fd& file, std::optional<std::uint64_t> end, Flow& flow)
        : file_(file), end_(end), flow_(flow) {}

    // Everything, or the reason why not.
    Ended write(std::string_view bytes) {
        if (bytes.empty()) return std::nullopt;
        if (auto ended = whole()) return ended;
        while (!bytes.empty()) {
            const auto written = ::write(file_.get(), bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return flow_.file_failed(errno);
            if (written == 0) return End::file;
            bytes.remove_prefix(static_cast<std::size_t>(written));
            went(written);
        }
        return std::nullopt;
    }

    [[nodiscard]] std::uint64_t stored() const { return stored_; }

    // From a pipe, as much as the kernel takes at once: errno and -1 as splice(2) has it.
    ssize_t take(const base::Fd& pipe, std::size_t most) {
        const auto written =
            ::splice(pipe.get(), nullptr, file_.get(), nullptr, most, SPLICE_F_MOVE);
        if (written > 0) went(written);
        return written;
    }

    // Unless somebody has cut off what was written: what comes next would stand behind a hole. The
    // first question costs next to nothing; its answer may be old on network file systems, and one
    // in user space may know a size only when the file is closed.
    [[nodiscard]] Ended whole() const {
        struct statx quick {};
        if (!end_ || *end_ == 0 ||
            ::statx(file_.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &quick) < 0 ||
            quick.stx_size >= *end_)
            return std::nullopt;
        struct stat status {};
        struct statfs kind {};
        const bool is_shorter = ::fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                                static_cast<std::uint64_t>(status.st_size) < *end_;
        if (!is_shorter || ::fstatfs(file_.get(), &kind) < 0 || kind.f_type == FUSE_SUPER_MAGIC)
            return std::nullopt;
        return End::shrank;
    }

  private:
    void went(ssize_t bytes) {
        stored_ += static_cast<std::uint64_t>(bytes);
        if (end_) *end_ += static_cast<std::uint64_t>(bytes);
    }

    const base::Fd& file_;
    std::optional<std::uint64_t> end_;
    Flow& flow_;
    std::uint64_t stored_ = 0;
};

// To the end of what the client sends, or `most` bytes of it. `over`: it was the end.
Ended copy_in(Target& target, Flow& flow, bool ascii, std::optional<std::uint64_t> most,
              bool& over) {
    auto buffer = Buffer::for_a_step(flow, first_read);
    ftp::FromNetwork lines;
    std::string converted;
    while (!most || flow.bytes() < *most) {
        std::size_t got = 0;
        if (auto ended = flow.receive({buffer.bytes.get(), buffer.size}, got)) return ended;
        if (got == 0) {
            over = true;
            converted.clear();
            lines.finish(converted);
            return target.write(converted);
        }
        std::string_view bytes(buffer.bytes.get(), got);
        if (ascii) {
            converted.clear();
            lines.convert(bytes, converted);
            bytes = converted;
        }
        const auto before = target.stored();
        if (auto ended = target.write(bytes)) {
            if (!ascii) flow.count(target.stored() - before);
            return ended;
        }
        if (auto ended = flow.moved(got)) return ended;
        if (auto ended = flow.look()) return ended;
        if (got == first_read) buffer = Buffer::for_a_step(flow, most);
    }
    return std::nullopt;
}

struct Pipe {
    base::Fd out;
    base::Fd in;

    static std::optional<Pipe> make() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) < 0) return std::nullopt;
        Pipe pipe{base::Fd{ends[0]}, base::Fd{ends[1]}};
        // Beyond the user's share of pipe memory it stays as small as it is.
        (void)::fcntl(pipe.in.get(), F_SETPIPE_SZ, static_cast<int>(kernel_chunk));
        return pipe;
    }
};

// False: splice does not work here; nothing is lost, for what is in the pipe is written first.
bool splice_in(Target& target, Flow& flow, Ended& ended) {
    const auto pipe = Pipe::make();
    if (!pipe) return false;
    for (;;) {
        auto waiting = ::splice(flow.data(), nullptr, pipe->in.get(), nullptr,
                                flow.step(kernel_chunk), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (waiting == 0) return true;
        if (waiting < 0) {
            if (errno == EINTR) continue;
            if (errno == EINVAL || errno == ENOSYS) return false;
            if (errno != EAGAIN) return ended = End::network, true;
            if ((ended = flow.wait(POLLIN))) return true;
            continue;
        }
        if ((ended = target.whole())) return true;
        while (waiting > 0) {
            const auto written = target.take(pipe->out, static_cast<std::size_t>(waiting));
            if (written > 0) {
                waiting -= written;
                if ((ended = flow.moved(static_cast<std::uint64_t>(written)))) return true;
            } else if (written < 0 && errno == EINVAL) {
                // This file cannot be spliced to: by hand what is there already.
                std::vector<char> rest(static_cast<std::size_t>(waiting));
                const auto got = ::read(pipe->out.get(), rest.data(), rest.size());
                if (got != waiting) return ended = End::file, true;
                if ((ended = target.write({rest.data(), rest.size()}))) return true;
                ended = flow.moved(rest.size());
                return ended.has_value();
            } else if (written == 0 || errno != EINTR) {
                ended = written == 0 ? End::file : flow.file_failed(errno);
                return true;
            }
        }
        if ((ended = flow.look())) return true;
    }
}

}  // namespace

void Transferred::fail(int error_number) {
    end = end_for(error_number);
    number = error_number;
}

Transferred send_file(const base::Fd& file, std::uint64_t offset,
                      std::optional<std::uint64_t> length, const base::Fd& data, const Terms& terms,
                      Watch& watch) {
    Flow flow(data, terms, watch);
    if (!watch.started()) return flow.finished(End::aborted);
    Ended ended;
    const bool whole_pages =
        !terms.ascii && flow.sends_files() && terms.sendfile && length && *length > copied_whole;
    if (!whole_pages || !sendfile_out(file, offset, *length, flow, ended))
        ended = copy_out(file, offset, length, terms.ascii, flow);
    const auto end = ended ? *ended : flow.delivered();
    return flow.finished(end);
}

Transferred receive_file(const base::Fd& file, std::uint64_t offset, const base::Fd& data,
                         const Terms& terms, Watch& watch) {
    Flow flow(data, terms, watch);
    if (!watch.started()) return flow.finished(End::aborted);
    if (offset > 0 && ::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
        return flow.finished(flow.file_failed(errno));
    Target target(file, terms.append ? std::nullopt : std::optional(offset), flow);
    bool over = false;
    // splice(2) refuses files that are appended to.
    const bool by_hand = terms.ascii || terms.append || flow.secure();
    auto ended = copy_in(target, flow, terms.ascii,
                         by_hand ? std::nullopt : std::optional(copied_first), over);
    if (!ended && !over && !splice_in(target, flow, ended))
        ended = copy_in(target, flow, false, std::nullopt, over);
    if (!ended) ended = target.whole();
    return flow.finished(ended.value_or(End::complete));
}

// ----- listings

struct LineSender::State {
    Flow flow;
    std::string collected;
    Ended ended;

    void pass(std::string_view lines, bool last = false) {
        if (!ended) ended = flow.send(lines, last);
        if (!ended) ended = flow.look();
    }
    void flush(bool last = false) {
        pass(collected, last);
        collected.clear();
    }
};

LineSender::LineSender(const base::Fd& data, const Terms& terms, Watch& watch)
    : state_(std::make_unique<State>(State{Flow(data, terms, watch), {}, {}})) {
    if (!watch.started()) state_->ended = End::aborted;
}

LineSender::~LineSender() = default;

bool LineSender::send(std::string_view lines) {
    if (state_->collected.size() + lines.size() < copy_chunk / 2) {
        state_->collected += lines;
        return !state_->ended;
    }
    state_->flush();
    state_->pass(lines);
    return !state_->ended;
}

Transferred LineSender::finish() {
    state_->flush(true);
    const auto end = state_->ended ? *state_->ended : state_->flow.delivered();
    return state_->flow.finished(end);
}

}  // namespace session
