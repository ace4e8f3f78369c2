// SPDX-License-Identifier: MIT
// The only user of PAM; runs in the authenticator and, for the checks, in its children.
#pragma once

#include "authenticator/secret.hpp"
#include "jail/limits.hpp"

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace authenticator {

// A transaction that is never begun: it keeps the service's modules in memory, so that the
// transactions of forked children find them there.
class HeldModules {
  public:
    explicit HeldModules(const std::string& service);
    ~HeldModules();
    HeldModules(const HeldModules&) = delete;
    HeldModules& operator=(const HeldModules&) = delete;
    // Empty: all is well. Else why children will have to try for themselves.
    [[nodiscard]] const std::string& error() const { return error_; }

  private:
    void* handle_ = nullptr;
    std::string error_;
};

// One, from start to end. When its session was opened, its destructor closes that.
class Transaction;

struct PamAnswer {
    bool accepted = false;
    std::string name;                      // PAM may have changed it
    std::vector<gid_t> groups;             // that setcred and session modules added
    std::vector<jail::Limit> limits;       // that session modules lowered
    mode_t umask = 0;                      // that they set
    std::shared_ptr<Transaction> session;  // open; empty when none was asked for
    int code = 0;                          // of the phase that failed
    std::string phase;                     // "authentication", "account", "credentials", "session"
    std::string error;                     // PAM's words for the code
    std::vector<std::string> messages;     // what modules had to say to the user
};

enum class Session : bool { none, open };

// Authentication, account, credentials, and a session if one is wanted. Changes the process
// (groups, and whatever modules do), so it is for a child that does nothing else. Without a
// password: no authentication, since somebody else has seen to that.
[[nodiscard]] PamAnswer check_with_pam(const std::string& service, const std::string& name,
                                       const Secret* password, const std::string& peer,
                                       Session session = Session::none);

// What modules of the authentication phase have against a name whatever the password is
// (pam_listfile, pam_shells, pam_nologin); empty: nothing. For logins that leave this phase out.
[[nodiscard]] std::string objection(const std::string& service, const std::string& name);

// What the administrator should be told: the facts that explain the refusal, as far as they show.
// virtual_users: there need not be an entry in the user database.
[[nodiscard]] std::string explain(const PamAnswer& answer, const std::string& service,
                                  const std::string& name, bool virtual_users);

}  // namespace authenticator
