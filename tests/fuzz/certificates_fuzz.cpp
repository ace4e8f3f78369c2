// SPDX-License-Identifier: MIT
// The certificates that supervisor and spawner get from the signer: any bytes are refused or come
// out as they went in.
#include "input.hpp"
#include "ipc/certificates.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::Input input(data, size);
    const auto parsed = ipc::parse_certificates(input.rest());
    if (parsed) HOLDS(ipc::serialise(parsed.value()) == input.rest());
    return 0;
}
