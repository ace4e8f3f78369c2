// SPDX-License-Identifier: MIT
// What may be signed: any bytes are refused, or are exactly what the signer would build from their
// fields; and any fields are refused, or make bytes that are read as the same fields.
#include "input.hpp"
#include "tls/to_be_signed.hpp"

#include <algorithm>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto content = tls::parse_content({data, size});
    if (content) {
        const auto bytes = tls::bytes_of(content.value());
        HOLDS(bytes && std::equal(bytes.value().begin(), bytes.value().end(), data, data + size));
        const tls::ToBeSigned what{{}, tls::Scheme::ed25519, content.value()};
        const auto back = tls::from_message(tls::to_message(what));
        HOLDS(back && back.value().content == content.value());
    }

    ipc::ToSign message{};
    std::memcpy(&message, data, std::min(size, sizeof message));
    const auto what = tls::from_message(message);
    if (!what) return 0;
    const auto bytes = tls::bytes_of(what.value().content);
    if (!bytes) return 0;
    const auto again = tls::parse_content(bytes.value());
    HOLDS(again && again.value() == what.value().content);
    return 0;
}
