// SPDX-License-Identifier: MIT
// What greeters and sessions find prepared when they are forked; runs in the spawner.
#include "cells/cells.hpp"

#include "greeter/greeter.hpp"
#include "ipc/admission.hpp"
#include "ipc/certificates.hpp"
#include "session/session.hpp"
#include "spawner/spawner.hpp"
#include "supervisor/roles.hpp"

#include <cstddef>
#include <utility>

namespace cells {
namespace {

base::Result<void> prepare_tls(const config::Configuration& configuration) {
    const base::Fd memory{supervisor::certificates_descriptor};
    TRY(const auto bytes, ipc::read_sealed(memory, std::size_t{1} << 30));
    TRY(const auto certificates, ipc::parse_certificates(bytes));
    TRY(greeter::prepare_tls(configuration, certificates));
    return session::prepare_tls(configuration, certificates);
}

}  // namespace

base::Result<int> run(ipc::Channel channel, const config::Configuration& configuration) {
    TRY(greeter::prepare(configuration.options));
    TRY(session::prepare(configuration, true));
    if (configuration.options.ssl_enable) {
        TRY(prepare_tls(configuration));
    }
    return spawner::run(std::move(channel), configuration, {&greeter::run, &session::run});
}

}  // namespace cells
