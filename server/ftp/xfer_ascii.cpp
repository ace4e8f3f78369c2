// SPDX-License-Identifier: MIT
// TYPE A: line ends between the network (CRLF) and Unix (LF), chunk by chunk; runs in the session.
#include "ftp/xfer_ascii.hpp"

#include <algorithm>

namespace ftp {

void FromNetwork::convert(std::string_view chunk, std::string& out) {
    if (chunk.empty()) return;
    if (carriage_return_ && chunk.front() != '\n') out += '\r';
    carriage_return_ = chunk.back() == '\r';
    if (carriage_return_) chunk.remove_suffix(1);
    for (;;) {
        const auto end = chunk.find("\r\n");
        out += chunk.substr(0, end);
        if (end == chunk.npos) return;
        chunk.remove_prefix(end + 1);
    }
}

void FromNetwork::finish(std::string& out) {
    if (carriage_return_) out += '\r';
    carriage_return_ = false;
}

void ToNetwork::convert(std::string_view chunk, std::string& out) {
    for (;;) {
        const auto end = chunk.find('\n');
        const auto text = chunk.substr(0, end);
        out += text;
        if (!text.empty()) after_carriage_return_ = text.back() == '\r';
        if (end == chunk.npos) return;
        out += after_carriage_return_ ? "\n" : "\r\n";
        after_carriage_return_ = false;
        chunk.remove_prefix(end + 1);
    }
}

void NetworkSize::count(std::string_view chunk) {
    bytes_ += chunk.size();
    for (auto end = chunk.find('\n'); end != chunk.npos; end = chunk.find('\n', end + 1)) {
        const bool complete = end > 0 ? chunk[end - 1] == '\r' : after_carriage_return_;
        if (!complete) ++bytes_;
    }
    if (!chunk.empty()) after_carriage_return_ = chunk.back() == '\r';
}

}  // namespace ftp
