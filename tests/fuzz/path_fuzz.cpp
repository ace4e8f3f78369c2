// SPDX-License-Identifier: MIT
// Virtual paths: a normalised one never contains "..", and splitting loses nothing.
#include "base/text.hpp"
#include "ftp/path.hpp"
#include "ftp/replies.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const auto home = input.until('\n');
    const auto cwd = input.until('\n');
    const auto argument = input.rest();

    const auto path = ftp::join(cwd, argument, home);
    HOLDS(path.starts_with('/'));
    HOLDS(path == "/" || !path.ends_with('/'));
    if (path != "/") {
        for (const auto part : base::split(std::string_view(path).substr(1), '/')) {
            HOLDS(!part.empty() && part != "." && part != "..");
        }
    }
    HOLDS(ftp::normalised(path) == path);

    const auto absolute = ftp::absolute(cwd, argument, home);
    HOLDS(absolute.starts_with('/'));
    if (ftp::fits(absolute)) {
        HOLDS(absolute.size() < ftp::longest_path);
        HOLDS(absolute.find('\0') == std::string::npos);
    }
    if (const auto place = ftp::place(absolute)) {
        HOLDS(!place->name.empty() && place->name.find('/') == std::string::npos);
        HOLDS(place->name != "." && place->name != "..");
        HOLDS(place->parent.starts_with('/'));
        HOLDS(ftp::normalised(place->parent + '/' + place->name) == path);
    }
    if (const auto user = ftp::tilde_user(argument)) {
        HOLDS(!user->empty() && user->find('/') == std::string_view::npos);
    }

    // Whatever the name, the reply is one line.
    const auto wire = ftp::wire(ftp::reply::current_folder(argument));
    HOLDS(wire.find('\n') == wire.size() - 1);
    HOLDS(wire.ends_with("\" is the current directory\r\n"));
    const auto message = ftp::wire(ftp::with_message(ftp::reply::folder_changed, argument));
    HOLDS(message.ends_with("250 Directory successfully changed.\r\n"));
    for (const auto line :
         base::split(std::string_view(message).substr(0, message.size() - 1), '\n')) {
        HOLDS(line.starts_with("250-") || line.starts_with("250 "));
        HOLDS(line.ends_with('\r'));
    }
    return 0;
}
