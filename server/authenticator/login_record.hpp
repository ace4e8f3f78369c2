// SPDX-License-Identifier: MIT
// session_support: who(1) and last(1) know of the session, as they do of vsftpd's; runs in the
// authenticator's children.
#pragma once

#include "ipc/requests.hpp"

#include <string>

#include <utmpx.h>

namespace authenticator {

// Written to utmp and wtmp, where these exist; its destructor writes the end.
class LoginRecord {
  public:
    LoginRecord(const std::string& user, const std::string& host, const ipc::Address& peer);
    ~LoginRecord();
    LoginRecord(const LoginRecord&) = delete;
    LoginRecord& operator=(const LoginRecord&) = delete;

  private:
    void write();
    utmpx record_{};
};

}  // namespace authenticator
