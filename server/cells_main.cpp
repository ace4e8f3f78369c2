// SPDX-License-Identifier: MIT
// The spawner as a program of its own, for the smaller a process is, the less its forks cost;
// linked statically, but with TLS all of OpenSSL.
#include "base/huge_text.hpp"
#include "base/log.hpp"
#include "base/title.hpp"
#include "cells/cells.hpp"
#include "config/serialise.hpp"
#include "ipc/admission.hpp"
#include "supervisor/roles.hpp"

#include <csignal>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace {

constexpr int failure = 2;

base::Result<int> run_spawner() {
    ipc::Channel channel{base::Fd{supervisor::channel_descriptor}};
    base::Fd memory{supervisor::configuration_descriptor};
    TRY(const auto bytes, ipc::read_sealed(memory, std::size_t{1} << 30));
    memory.close();
    TRY(const auto configuration, config::deserialise(bytes));
    base::text_into_huge_pages();
    return cells::run(std::move(channel), configuration);
}

}  // namespace

int main(int argc, char** argv) {
    base::title::prepare(argc, argv);
    (void)std::signal(SIGPIPE, SIG_IGN);
    (void)std::signal(SIGXFSZ, SIG_IGN);  // a limit on files is an error of their writer
    try {
        base::log::start(base::log::Level::info);
        const auto ended = run_spawner();
        if (ended) return ended.value();
        base::log::error(ended.error().text());
    } catch (const std::exception& error) {
        base::log::error(std::string("this should not happen: ") + error.what());
    }
    return failure;
}
