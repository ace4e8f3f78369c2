// SPDX-License-Identifier: MIT
// The process that listens, counts, limits, brokers and reloads, and never waits for anybody; runs
// as root.
#pragma once

#include "base/result.hpp"
#include "config/configuration.hpp"

#include <functional>
#include <memory>

namespace supervisor {

struct Setup {
    std::shared_ptr<const config::Configuration> configuration;

    // Reads everything that the command line named once more; called in a thread of its own,
    // because files may be slow. An error has been reported already, and the old configuration
    // stays in force as a whole.
    std::function<std::shared_ptr<const config::Configuration>()> reload;

    // Called once the listening socket stands and clients are welcome (background=YES waits for
    // it).
    std::function<void()> ready;
};

// Serves until SIGTERM or SIGINT, or in inetd mode until the client on descriptor 0 has gone. An
// error if the start fails; the exit code otherwise.
[[nodiscard]] base::Result<int> run(Setup setup);

}  // namespace supervisor
