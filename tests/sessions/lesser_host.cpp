// SPDX-License-Identifier: MIT
// Hosts that allow less than this machine does.
#include "tests/sessions/lesser_host.hpp"

#include <seccomp.h>

#include <cstdint>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sessions::lesser_host {
namespace {

void require(bool done) {
    if (!done) ::_exit(125);
}

void write_to(const std::string& path, const std::string& text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    require(file >= 0 &&
            ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(file);
}

void own_mounts() {
    require(::unshare(CLONE_NEWNS) == 0);
    require(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
}

void answer_call(const std::string& name, std::uint32_t answer) {
    auto* filter = ::seccomp_init(SCMP_ACT_ALLOW);
    require(filter != nullptr);
    const int call = ::seccomp_syscall_resolve_name(name.c_str());
    require(call != __NR_SCMP_ERROR);
    require(::seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) == 0);
    require(::seccomp_rule_add(filter, answer, call, 0) == 0);
    require(::seccomp_load(filter) == 0);
    ::seccomp_release(filter);
}

}  // namespace

// The maps of more than one uid are written from outside, by who has the right to there.
void without_user_namespaces() {
    int ends[2];
    require(::pipe2(ends, O_CLOEXEC) == 0);
    const auto inside = "/proc/" + std::to_string(::getpid());
    const pid_t outside = ::fork();
    require(outside >= 0);
    if (outside == 0) {
        char ignored = 0;
        require(::read(ends[0], &ignored, 1) == 1);
        write_to(inside + "/uid_map", "0 0 65536");
        write_to(inside + "/gid_map", "0 0 65536");
        ::_exit(0);
    }
    require(::unshare(CLONE_NEWUSER) == 0 && ::write(ends[1], "+", 1) == 1);
    int status = 0;
    require(::waitpid(outside, &status, 0) == outside && status == 0);
    ::close(ends[0]);
    ::close(ends[1]);
    write_to("/proc/sys/user/max_user_namespaces", "0");
}

void without_call(const std::string& name, int number) {
    answer_call(name, SCMP_ACT_ERRNO(static_cast<unsigned>(number)));
}

void deadly_call(const std::string& name) { answer_call(name, SCMP_ACT_KILL_PROCESS); }
void without_capabilities(const std::vector<int>& taken) {
    for (const int each : taken) require(::prctl(PR_CAPBSET_DROP, each, 0, 0, 0) == 0);
    auto* sets = ::cap_get_proc();
    require(sets != nullptr);
    for (const cap_value_t each : taken) {
        for (const auto set : {CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE})
            require(::cap_set_flag(sets, set, 1, &each, CAP_CLEAR) == 0);
    }
    require(::cap_set_proc(sets) == 0);
    ::cap_free(sets);
}

void as_user_with(unsigned uid, int capability) {
    const cap_value_t wanted = capability;
    require(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && ::setgroups(0, nullptr) == 0 &&
            ::setgid(uid) == 0 && ::setuid(uid) == 0);
    auto* sets = ::cap_init();
    require(sets != nullptr);
    for (const auto set : {CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE})
        require(::cap_set_flag(sets, set, 1, &wanted, CAP_SET) == 0);
    require(::cap_set_proc(sets) == 0);
    ::cap_free(sets);
    require(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0);
}

void with_hidden_processes() {
    own_mounts();
    require(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2") == 0);
}

void without_proc() {
    own_mounts();
    require(::mount("none", "/proc", "tmpfs", 0, nullptr) == 0);
}

}  // namespace sessions::lesser_host
