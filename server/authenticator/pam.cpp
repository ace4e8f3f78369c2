// SPDX-License-Identifier: MIT
// PAM transactions; runs in the authenticator and its children.
#include "authenticator/pam.hpp"

#include "jail/identity.hpp"

#include <security/pam_appl.h>

#include <algorithm>
#include <cstdlib>

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace authenticator {
namespace {

struct Conversation {
    const Secret* password;
    std::vector<std::string> messages;
};

void forget(pam_response* responses, int count) {
    for (int i = 0; i < count; ++i) {
        char* text = responses[i].resp;
        if (text != nullptr) ::explicit_bzero(text, std::strlen(text));
        std::free(text);
    }
    std::free(responses);
}

// Whatever is asked without echo is the password, as with vsftpd; there is nobody to ask for more.
int converse(int count, const pam_message** questions, pam_response** answers, void* data) {
    auto& conversation = *static_cast<Conversation*>(data);
    if (count <= 0 || count > PAM_MAX_NUM_MSG || conversation.password == nullptr)
        return PAM_CONV_ERR;
    auto* responses = static_cast<pam_response*>(
        std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
    if (responses == nullptr) return PAM_BUF_ERR;
    for (int i = 0; i < count; ++i) {
        switch (questions[i]->msg_style) {
            case PAM_PROMPT_ECHO_OFF:
                responses[i].resp = ::strdup(conversation.password->c_str());
                if (responses[i].resp == nullptr) return forget(responses, count), PAM_BUF_ERR;
                break;
            case PAM_TEXT_INFO:
            case PAM_ERROR_MSG:
                if (questions[i]->msg != nullptr)
                    conversation.messages.emplace_back(questions[i]->msg);
                break;
            default:
                forget(responses, count);
                return PAM_CONV_ERR;
        }
    }
    *answers = responses;
    return PAM_SUCCESS;
}

// The supervisor delays failures; a delay here would hold up those who wait for a turn.
void no_delay(int, unsigned, void*) {}

using Delay = void (*)(int, unsigned, void*);

mode_t umask_now() {
    const auto now = ::umask(077);
    ::umask(now);
    return now;
}

std::vector<gid_t> groups_now() {
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    return groups;
}

}  // namespace

class Transaction {
  public:
    Transaction(const std::string& service, const std::string& name, const Secret* password)
        : conversation_{password, {}}, converse_{&converse, &conversation_} {
        code_ = ::pam_start(service.c_str(), name.c_str(), &converse_, &handle_);
        if (code_ != PAM_SUCCESS) handle_ = nullptr;
    }
    ~Transaction() {
        if (handle_ == nullptr) return;
        if (session_is_open_) {
            (void)::pam_close_session(handle_, 0);
            (void)::pam_setcred(handle_, PAM_DELETE_CRED);
        }
        (void)::pam_end(handle_, code_);
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    bool started() const { return handle_ != nullptr; }
    int code() const { return code_; }
    bool set(int item, const void* value) {
        code_ = ::pam_set_item(handle_, item, value);
        return code_ == PAM_SUCCESS;
    }
    bool phase(int (*function)(pam_handle_t*, int), int flags) {
        const jail::Ties ties;
        code_ = function(handle_, flags);
        ties.restore();  // modules act as the user for a moment, too
        return code_ == PAM_SUCCESS;
    }
    bool open_session() {
        session_is_open_ = phase(&::pam_open_session, 0);
        return session_is_open_;
    }
    void forget_password() { conversation_.password = nullptr; }
    std::string error() const { return ::pam_strerror(handle_, code_); }
    std::string user() const {
        const void* name = nullptr;
        if (::pam_get_item(handle_, PAM_USER, &name) != PAM_SUCCESS || name == nullptr) return {};
        return static_cast<const char*>(name);
    }
    std::vector<std::string> messages() { return std::move(conversation_.messages); }

  private:
    Conversation conversation_;
    pam_conv converse_;
    pam_handle_t* handle_ = nullptr;
    int code_ = PAM_SUCCESS;
    bool session_is_open_ = false;
};

HeldModules::HeldModules(const std::string& service) {
    static Conversation nobody{nullptr, {}};
    static const pam_conv silent{&converse, &nobody};
    pam_handle_t* handle = nullptr;
    const int code = ::pam_start(service.c_str(), nullptr, &silent, &handle);
    if (code != PAM_SUCCESS)
        error_ = ::pam_strerror(handle, code);
    else
        handle_ = handle;
}

HeldModules::~HeldModules() {
    if (handle_ != nullptr) (void)::pam_end(static_cast<pam_handle_t*>(handle_), PAM_SUCCESS);
}

PamAnswer check_with_pam(const std::string& service, const std::string& name,
                         const Secret* password, const std::string& peer, Session session) {
    PamAnswer answer;
    answer.name = name;
    // What is there after setcred has been added by modules; if not all of it, then none of it
    // counts.
    const bool emptied = ::setgroups(0, nullptr) == 0;
    // Modules of other phases than a session's have no say in these.
    const bool wanted = session == Session::open;
    const auto limits = wanted ? jail::limits_now() : std::vector<jail::Limit>{};
    const auto mask = wanted ? umask_now() : mode_t{};
    const auto transaction = std::make_shared<Transaction>(service, name, password);
    auto& pam = *transaction;
    const auto failed = [&](const char* phase) {
        answer.phase = phase;
        answer.code = pam.code();
        answer.error = pam.error();
        answer.messages = pam.messages();
        return answer;
    };
    if (!pam.started()) return failed("start");
    Delay delay = &no_delay;
    if (!pam.set(PAM_FAIL_DELAY, reinterpret_cast<const void*>(delay)) ||
        !pam.set(PAM_TTY, "ftp") || !pam.set(PAM_RHOST, peer.c_str()) ||
        !pam.set(PAM_RUSER, name.c_str()))
        return failed("start");
    if (password != nullptr && !pam.phase(&::pam_authenticate, 0)) return failed("authentication");
    if (!pam.phase(&::pam_acct_mgmt, 0)) return failed("account");
    if (!pam.phase(&::pam_setcred, PAM_ESTABLISH_CRED)) return failed("credentials");
    pam.forget_password();
    if (wanted) {
        if (!pam.open_session()) return failed("session");
        answer.session = transaction;
        answer.limits = jail::lowered_since(limits);
        if (umask_now() != mask) answer.umask = umask_now();
    }
    answer.accepted = true;
    answer.name = pam.user();
    if (emptied) answer.groups = groups_now();
    return answer;
}

}  // namespace authenticator
