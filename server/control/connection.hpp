// SPDX-License-Identifier: MIT
// The control connection: command lines in, replies out, each with a deadline; runs in greeter and
// session.
#pragma once

#include "base/fd.hpp"
#include "ftp/command_line.hpp"
#include "ftp/replies.hpp"
#include "ipc/requests.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <sys/types.h>

namespace control {

// What a wait ended with.
enum class Came {
    line,      // a command
    channel,   // the other descriptor can be read
    timeout,   // neither, in all that time
    closed,    // the client is gone
    too_long,  // a line that cannot be one: reply, then close
};

// What stands between the lines and the socket, if anything does (TLS in the greeter). As recv(2)
// and send(2) that never wait: EAGAIN in errno.
class Layer {
  public:
    virtual ~Layer() = default;
    [[nodiscard]] virtual ssize_t receive(std::span<char> space) = 0;
    // Bytes that were taken may be on their way still: flushed() says when they are not.
    [[nodiscard]] virtual ssize_t send(std::string_view bytes) = 0;
    [[nodiscard]] virtual bool flushed() = 0;  // false with EAGAIN: wait until it can be written
    [[nodiscard]] virtual bool pending() const = 0;  // input that poll(2) does not know of
    virtual void say_goodbye() = 0;                  // sent by flushed()
};

class Connection {
  public:
    // `unread` is what another process received and did not use.
    explicit Connection(base::Fd socket, std::string_view unread = {});

    // log_ftp_protocol: every line of every reply, and every command that is given to record().
    using Recorder = std::function<void(ipc::Event, std::string_view)>;
    void record_to(Recorder recorder) { recorder_ = std::move(recorder); }
    void record(const ftp::Line& line) const;

    // From now on all goes through it.
    void use(std::unique_ptr<Layer> layer) { layer_ = std::move(layer); }
    [[nodiscard]] bool secure() const { return layer_ != nullptr; }

    // The next command, unless something is to be read from `channel` first (-1: nothing else is
    // waited for). A time of 0: for ever.
    [[nodiscard]] Came wait(ftp::Line& line, int channel, std::chrono::milliseconds most);

    // Takes what has arrived without waiting; false when the client is gone. For who polls fd().
    [[nodiscard]] bool receive();
    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] ftp::LineReader& lines() { return lines_; }

    // False when the client is gone or does not read; everything after that is thrown away.
    bool reply(const ftp::Reply& reply);
    bool send(std::string_view bytes);  // that have their final form
    [[nodiscard]] bool broken() const { return broken_; }

    // Closes so that the last reply arrives: a close with unread input would take it along.
    void close();

    // The client hung up and left no command to be answered.
    [[nodiscard]] bool abandoned() const;

  private:
    [[nodiscard]] std::optional<Came> next(ftp::Line& line);
    [[nodiscard]] ssize_t send_some(std::string_view bytes);
    void flush();

    base::Fd socket_;
    std::unique_ptr<Layer> layer_;
    ftp::LineReader lines_;
    Recorder recorder_;
    bool broken_ = false;
    bool ended_ = false;         // the client sends no more
    bool channel_read_ = false;  // by whoever was told so; a command is next
};

}  // namespace control
