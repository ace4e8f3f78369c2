// SPDX-License-Identifier: MIT
// TYPE A: the same bytes however they are cut, and as many as SIZE says.
#include "ftp/xfer_ascii.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::size_t piece = input.byte() % 16 + std::size_t{1};
    const auto text = input.rest();

    ftp::ToNetwork down, down_in_pieces;
    ftp::FromNetwork up, up_in_pieces;
    ftp::NetworkSize length;
    std::string sent, sent_in_pieces, stored, stored_in_pieces;
    down.convert(text, sent);
    up.convert(text, stored);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const auto part = text.substr(at, piece);
        down_in_pieces.convert(part, sent_in_pieces);
        up_in_pieces.convert(part, stored_in_pieces);
        length.count(part);
    }
    up.finish(stored);
    up_in_pieces.finish(stored_in_pieces);
    HOLDS(sent == sent_in_pieces);
    HOLDS(stored == stored_in_pieces);
    HOLDS(length.bytes() == sent.size());
    HOLDS(stored.size() <= text.size());
    // A Unix text without carriage returns comes back as it was.
    if (text.find('\r') == text.npos) {
        ftp::FromNetwork back;
        std::string returned;
        back.convert(sent, returned);
        back.finish(returned);
        HOLDS(returned == text);
    }
    return 0;
}
