// SPDX-License-Identifier: MIT
// A PAM module that does what its arguments say, in the phase that its first argument names:
// pam_told.so PHASE ACTION...; loaded by the tests' own services.
#include <security/pam_modules.h>
// pam_modules.h comes first: the next one needs its types.
#include <security/pam_ext.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

int talk(pam_handle_t* handle, int style, const char* text) {
    const void* item = nullptr;
    if (pam_get_item(handle, PAM_CONV, &item) != PAM_SUCCESS) return PAM_CONV_ERR;
    const auto* conversation = static_cast<const pam_conv*>(item);
    const pam_message first{style, text};
    const pam_message second{PAM_ERROR_MSG, "and more"};
    const pam_message* questions[] = {&first, &second};
    pam_response* answers = nullptr;
    const int result = conversation->conv(2, questions, &answers, conversation->appdata_ptr);
    if (result == PAM_SUCCESS && answers != nullptr) {
        std::free(answers[0].resp);
        std::free(answers);
    }
    return result;
}

void write_items(pam_handle_t* handle, const char* path) {
    std::string text;
    for (const int item : {PAM_SERVICE, PAM_USER, PAM_TTY, PAM_RHOST, PAM_RUSER}) {
        const void* value = nullptr;
        if (pam_get_item(handle, item, &value) == PAM_SUCCESS && value != nullptr)
            text += static_cast<const char*>(value);
        text += '\n';
    }
    const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)!::write(file, text.data(), text.size());
    ::close(file);
}

void add_group(gid_t group) {
    std::vector<gid_t> groups(1000);
    groups.resize(static_cast<std::size_t>(::getgroups(1000, groups.data())));
    groups.push_back(group);
    (void)!::setgroups(groups.size(), groups.data());
}

void limit_files(rlim_t bytes) {
    const rlimit lower{bytes, bytes};
    (void)!::setrlimit(RLIMIT_FSIZE, &lower);
}

void start_something() {
    if (::fork() == 0) {
        for (;;) ::pause();
    }
}

[[noreturn]] void hang() {
    for (;;) ::pause();
}

int obey(pam_handle_t* handle, std::string_view phase, int count, const char** words) {
    if (count == 0 || phase != words[0]) return PAM_SUCCESS;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        const auto equals = word.find('=');
        const auto action = word.substr(0, equals);
        const char* value = equals == word.npos ? "" : words[i] + equals + 1;
        const auto number = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
        if (action == "rename") pam_set_item(handle, PAM_USER, value);
        if (action == "group") add_group(number);
        if (action == "say" && talk(handle, PAM_TEXT_INFO, value) != PAM_SUCCESS)
            return PAM_CONV_ERR;
        if (action == "ask" && talk(handle, PAM_PROMPT_ECHO_ON, "And?") != PAM_SUCCESS)
            return PAM_CONV_ERR;
        if (action == "items") write_items(handle, value);
        if (action == "umask") ::umask(static_cast<mode_t>(std::strtoul(value, nullptr, 8)));
        if (action == "fsize") limit_files(number);
        if (action == "delay") pam_fail_delay(handle, number * 1000000);
        if (action == "fsuid") {
            ::setfsuid(number);
            ::setfsuid(0);
        }
        if (action == "password") {
            const char* given = nullptr;
            if (pam_get_authtok(handle, PAM_AUTHTOK, &given, nullptr) != PAM_SUCCESS ||
                std::strcmp(given, value) != 0)
                return PAM_AUTH_ERR;
        }
        if (action == "start") start_something();
        if (action == "close") ::close_range(3, ~0U, 0);
        if (action == "hang") hang();
        if (action == "abort") std::abort();
        if (action == "exit") ::_exit(static_cast<int>(number));
        if (action == "fail") return static_cast<int>(number);
    }
    return PAM_SUCCESS;
}

}  // namespace

extern "C" {

int pam_sm_authenticate(pam_handle_t* handle, int, int count, const char** words) {
    return obey(handle, "auth", count, words);
}

int pam_sm_setcred(pam_handle_t* handle, int, int count, const char** words) {
    return obey(handle, "setcred", count, words);
}

int pam_sm_open_session(pam_handle_t* handle, int, int count, const char** words) {
    return obey(handle, "open", count, words);
}

int pam_sm_close_session(pam_handle_t* handle, int, int count, const char** words) {
    return obey(handle, "close", count, words);
}

int pam_sm_acct_mgmt(pam_handle_t* handle, int, int count, const char** words) {
    return obey(handle, "account", count, words);
}
}
