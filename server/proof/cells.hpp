// SPDX-License-Identifier: MIT
// Real cells of a real spawner, with an attacker in each instead of a greeter or session; the
// caller takes the supervisor's part. Runs as root.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"
#include "helpers/admission.hpp"
#include "ipc/channel.hpp"
#include "proof/attack.hpp"
#include "proof/stage.hpp"

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace proof {

// What keeps somebody in, so that each can be tried without the others. Not identity: cells stand
// in folders of users who may be hostile and there, and nothing is done there with root's rights.
enum class Layer : unsigned char { root, namespaces, network, landlock, system_calls };
using Layers = std::vector<Layer>;
[[nodiscard]] bool contains(const Layers& layers, Layer layer);

// What became of an attack.
struct Tried {
    bool through = false;
    bool by_filter = false;  // it was ended by the system call filter, or told so
    std::string how;         // of one that failed: errno or signal, in words
};

// account: null for a greeter.
class Cells {
  public:
    [[nodiscard]] static base::Result<std::unique_ptr<Cells>> start(
        const config::Configuration& configuration, const helpers::Account* account,
        const Layers& layers, const Stage& stage);
    ~Cells();
    Cells(const Cells&) = delete;
    Cells& operator=(const Cells&) = delete;

    // An error: the jail could not be entered.
    [[nodiscard]] base::Result<Tried> attempt(const Attack& attack);

  private:
    Cells(const config::Configuration& configuration, const helpers::Account* account,
          const Layers& layers, const Stage& stage);
    struct Cell {
        std::uint64_t id;
        pid_t pid;
        ipc::Channel channel;
    };
    [[nodiscard]] base::Result<Cell> new_cell();
    [[nodiscard]] base::Result<void> enter(Cell& cell, std::string_view task, bool freed = false);
    [[nodiscard]] base::Result<int> wait_for_end(const Cell& cell);

    config::Configuration configuration_;
    const helpers::Account* account_;
    const Layers layers_;
    const Stage& stage_;
    pid_t spawner_ = -1;
    ipc::Channel channel_;
    std::uint64_t last_id_ = 0;
    Cell sibling_{};
};

}  // namespace proof
