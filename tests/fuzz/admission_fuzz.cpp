// SPDX-License-Identifier: MIT
// The admission that a session reads: any bytes are refused or come out as they went in.
#include "input.hpp"
#include "ipc/admission.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::Input input(data, size);
    const auto parsed = ipc::parse_admission(input.rest());
    if (parsed) {
        const auto written = ipc::serialise(parsed.value());
        const auto again = ipc::parse_admission(written);
        HOLDS(static_cast<bool>(again));
        HOLDS(ipc::serialise(again.value()) == written);
    }

    // The other direction: whatever the values, what was written can be read.
    fuzz::Input values(data, size);
    ipc::Admission admission;
    admission.uid = values.byte();
    admission.gid = values.byte();
    admission.anonymous = (values.byte() & 1) != 0;
    for (const char c : values.until('\n')) {
        admission.groups.push_back(static_cast<unsigned char>(c));
    }
    admission.user = values.until('\n');
    admission.root = values.until('\n');
    admission.start = values.until('\n');
    admission.home = values.until('\n');
    admission.overrides = values.rest();
    const auto bytes = ipc::serialise(admission);
    const auto back = ipc::parse_admission(bytes);
    if (back) HOLDS(ipc::serialise(back.value()) == bytes);
    return 0;
}
