// SPDX-License-Identifier: MIT
// Puts up what attacks try to reach, inside and outside of a jail, and takes it away again; runs as
// root, on the host.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "ipc/admission.hpp"
#include "jail/identity.hpp"
#include "proof/attack.hpp"

#include <memory>
#include <string>

namespace proof {

class Stage {
  public:
    // admission, root: of the user whose jail it is (null: of a process that has no files).
    [[nodiscard]] static base::Result<std::unique_ptr<Stage>> put_up(
        const ipc::Admission* admission, const base::Fd& root);
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    Scene scene;
    std::string inside_on_host;
    [[nodiscard]] Folders folders() const { return {inside_.get(), outside_.get()}; }
    // As it was at first, after an attack.
    void tidy_up() const;

  private:
    Stage() = default;
    [[nodiscard]] base::Result<void> put_up_outside(const std::string& beside);
    [[nodiscard]] base::Result<void> put_up_inside(const ipc::Admission& admission,
                                                   const base::Fd& root);
    [[nodiscard]] base::Result<void> fill_inside();
    [[nodiscard]] base::Result<void> listen();
    void share();

    jail::Identity user_;
    base::Fd home_;
    base::Fd inside_;
    base::Fd outside_;
    std::string inside_name_;
    base::Fd tcp_;
    base::Fd tcp6_;
    base::Fd udp_;
    base::Fd local_;
    base::Fd abstract_;
    int shared_memory_ = -1;
    int semaphores_ = -1;
    int queue_ = -1;
};

}  // namespace proof
