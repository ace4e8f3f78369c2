// SPDX-License-Identifier: MIT
// A process that does nothing but mount; runs as root, beside the template.
#include "authenticator/mounter.hpp"

#include "base/log.hpp"
#include "base/title.hpp"
#include "jail/capabilities.hpp"
#include "jail/limits.hpp"

#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace authenticator {

using base::Error;
using base::Fd;
using base::Result;

namespace {

// A mount takes microseconds and no disk.
constexpr int patience = 10'000;  // milliseconds

Result<void> confine(pid_t parent, int channel) {
    TRY(jail::own_session());
    const int kept[] = {channel};
    TRY(jail::keep_only(kept));
    TRY(jail::limit(RLIMIT_FSIZE, 0));
    TRY(jail::limit(RLIMIT_NPROC, 0));
    const int right[] = {CAP_SYS_ADMIN};
    TRY(jail::keep_capabilities(right));
    TRY(jail::forbid_new_privileges());
    TRY(jail::forbid_dumping());
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return base::system_error("prctl");
    if (::getppid() != parent) return Error{"the template is gone", ESRCH};
    return base::success();
}

// Each request brings the descriptor that its answer goes to: many ask at once.
[[noreturn]] void serve(ipc::Channel channel) {
    for (;;) {
        auto message = channel.wait();
        const auto* wanted = message ? message.value().as<ipc::Mount>() : nullptr;
        if (wanted == nullptr || message.value().descriptors.size() != 2) ::_exit(2);
        auto& descriptors = message.value().descriptors;
        ipc::Channel asker{std::move(descriptors[1])};
        const auto mount = jail::detached_mount(
            descriptors[0],
            {.read_only = wanted->read_only != 0, .no_links = wanted->no_links != 0});
        ipc::Mounted answer{};
        std::vector<int> numbers;
        if (mount) {
            numbers.push_back(mount.value().get());
        } else {
            answer.number = mount.error().number;
            answer.what.assign(mount.error().what);
        }
        (void)asker.send(answer, numbers);  // it may have been ended
    }
}

}  // namespace

Result<Mounter> Mounter::start() {
    TRY(auto ends, ipc::Channel::pair());
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return base::system_error("fork");
    if (pid > 0) return Mounter(pid, std::move(ends.first));
    ends.first.close();
    base::title::set("jailftpd: [mounter]");
    if (const auto confined = confine(parent, ends.second.fd()); !confined) {
        base::log::error("the mounter cannot start: " + confined.error().text());
        ::_exit(2);
    }
    serve(std::move(ends.second));
}

Result<Fd> Mounter::mount(const Fd& directory, const jail::MountFlags& flags) {
    TRY(auto ends, ipc::Channel::pair());
    const ipc::Mount wanted{flags.read_only ? 1U : 0U, flags.no_links ? 1U : 0U};
    const int descriptors[] = {directory.get(), ends.second.fd()};
    TRY(channel_.send_waiting(wanted, descriptors));
    ends.second.close();
    TRY(auto message, ends.first.wait(patience));
    const auto* answer = message.as<ipc::Mounted>();
    if (answer == nullptr || !answer->what.valid())
        return Error{"the mounter makes no sense", EPROTO};
    if (message.descriptors.size() != 1)
        return Error{std::string(answer->what.view()), answer->number};
    return std::move(message.descriptors.front());
}

}  // namespace authenticator
