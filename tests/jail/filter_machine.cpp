// SPDX-License-Identifier: MIT
// Classic BPF as far as libseccomp uses it.
#include "tests/jail/filter_machine.hpp"

#include <cstring>
#include <stdexcept>

#include <linux/seccomp.h>

namespace filter_machine {
namespace {

std::uint32_t loaded(const seccomp_data& data, std::uint32_t offset) {
    std::uint32_t value = 0;
    if (offset % 4 != 0 || offset + 4 > sizeof data) throw std::runtime_error("bad offset");
    std::memcpy(&value, reinterpret_cast<const char*>(&data) + offset, sizeof value);
    return value;
}

bool holds(std::uint16_t comparison, std::uint32_t left, std::uint32_t right) {
    switch (comparison) {
        case BPF_JEQ:
            return left == right;
        case BPF_JGT:
            return left > right;
        case BPF_JGE:
            return left >= right;
        case BPF_JSET:
            return (left & right) != 0;
        default:
            throw std::runtime_error("unknown comparison");
    }
}

}  // namespace

std::uint32_t run(std::span<const sock_filter> program, const Request& request) {
    seccomp_data data{};
    data.nr = static_cast<int>(request.number);
    data.arch = request.architecture;
    for (std::size_t i = 0; i < request.arguments.size(); ++i) data.args[i] = request.arguments[i];
    std::uint32_t accumulator = 0;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const auto& step = program[at];
        switch (step.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                accumulator = loaded(data, step.k);
                break;
            case BPF_ALU | BPF_AND | BPF_K:
                accumulator &= step.k;
                break;
            case BPF_RET | BPF_K:
                return step.k;
            case BPF_JMP | BPF_JA:
                at += step.k;
                break;
            default:
                if (BPF_CLASS(step.code) != BPF_JMP) throw std::runtime_error("unknown step");
                at += holds(BPF_OP(step.code), accumulator, step.k) ? step.jt : step.jf;
        }
    }
    throw std::runtime_error("fell off the end");
}

}  // namespace filter_machine
