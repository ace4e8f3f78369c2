// SPDX-License-Identifier: MIT
// Denied system calls, told from a signal handler; runs in greeters and sessions.
#include "ipc/denied_call.hpp"

#include "ipc/requests.hpp"

#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

namespace ipc {
namespace {

// The handler may come at any time, on any stack, so its message stands ready; one thread a
// process.
struct {
    Header header;
    Record record;
} message;

void append(Text<longest_path>& text, const char* more) {
    const auto length = std::strlen(more);
    if (text.length + length > Text<longest_path>::capacity) return;
    std::memcpy(text.bytes + text.length, more, length);
    text.length += static_cast<std::uint32_t>(length);
}

}  // namespace

void report_denied_call(int channel, const char* call, bool for_its_arguments) {
    message.header = {version, Type::record, sizeof(Record)};
    message.record.event = Event::warning;
    message.record.path.length = 0;
    append(message.record.path, "the system call ");
    append(message.record.path, call);
    append(message.record.path, for_its_arguments
                                    ? " was denied for its arguments (EPERM)"
                                    : " is not on the process's list, it was denied (ENOSYS)");
    iovec parts[] = {{&message.header, sizeof message.header},
                     {&message.record, sizeof message.record}};
    msghdr datagram{};
    datagram.msg_iov = parts;
    datagram.msg_iovlen = 2;
    (void)::sendmsg(channel, &datagram, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace ipc
