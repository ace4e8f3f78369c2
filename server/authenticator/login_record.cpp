// SPDX-License-Identifier: MIT
// Lines of utmp and wtmp; runs in the authenticator's children.
#include "authenticator/login_record.hpp"

#include "broker/address.hpp"

#include <cstring>
#include <string_view>

#include <sys/time.h>
#include <unistd.h>

namespace authenticator {
namespace {

constexpr const char* wtmp = "/var/log/wtmp";

// These fields need no NUL at their end.
template <std::size_t N>
void put(char (&field)[N], std::string_view text) {
    std::memset(field, 0, N);
    if (text.empty()) return;  // it may be a null pointer
    std::memcpy(field, text.data(), text.size() < N ? text.size() : N);
}

}  // namespace

// The line is vsftpd's. Without an ut_id, entries are told apart by their lines.
LoginRecord::LoginRecord(const std::string& user, const std::string& host,
                         const ipc::Address& peer) {
    record_.ut_type = USER_PROCESS;
    record_.ut_pid = ::getpid();
    put(record_.ut_line, "vsftpd:" + std::to_string(::getpid()));
    put(record_.ut_user, user);
    put(record_.ut_host, host);
    const auto four = broker::as_family(peer, AF_INET);
    if (four.any.sa_family == AF_INET)
        std::memcpy(record_.ut_addr_v6, &four.v4.sin_addr, sizeof four.v4.sin_addr);
    else if (peer.any.sa_family == AF_INET6)
        std::memcpy(record_.ut_addr_v6, &peer.v6.sin6_addr, sizeof peer.v6.sin6_addr);
    write();
}

LoginRecord::~LoginRecord() {
    record_.ut_type = DEAD_PROCESS;
    put(record_.ut_user, {});
    put(record_.ut_host, {});
    write();
}

void LoginRecord::write() {
    timeval now{};
    ::gettimeofday(&now, nullptr);
    record_.ut_tv.tv_sec = static_cast<decltype(record_.ut_tv.tv_sec)>(now.tv_sec);
    record_.ut_tv.tv_usec = static_cast<decltype(record_.ut_tv.tv_usec)>(now.tv_usec);
    ::setutxent();
    (void)::pututxline(&record_);
    ::endutxent();
    ::updwtmpx(wtmp, &record_);
}

}  // namespace authenticator
