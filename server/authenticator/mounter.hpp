// SPDX-License-Identifier: MIT
// The mounter makes the mounts that homes come as, so that PAM's modules need not have the right
// to: root with that right and no other, forked from the template before it loads any module. Asked
// by the template's children.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/channel.hpp"
#include "jail/mounts.hpp"

#include <utility>

#include <sys/types.h>

namespace authenticator {

class Mounter {
  public:
    // It lives as long as the thread that starts it.
    [[nodiscard]] static base::Result<Mounter> start();

    // jail::detached_mount(), over there.
    [[nodiscard]] base::Result<base::Fd> mount(const base::Fd& directory,
                                               const jail::MountFlags& flags);

    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    Mounter(pid_t pid, ipc::Channel channel) : pid_(pid), channel_(std::move(channel)) {}

    pid_t pid_;
    ipc::Channel channel_;
};

}  // namespace authenticator
