// SPDX-License-Identifier: MIT
// Lists of names, one a line; runs where the list is asked.
#include "config/name_list.hpp"

#include "base/fd.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace config {

base::Result<std::string> read_file(const std::string& path, std::size_t limit) {
    const base::Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!file) return base::system_error(path);
    struct stat status {};
    if (::fstat(file.get(), &status) < 0) return base::system_error(path);
    if (S_ISDIR(status.st_mode)) return base::system_error(path, EISDIR);
    if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
        return base::Error{path + " is not a regular file"};
    std::string content;
    char buffer[16384];
    for (;;) {
        const auto got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return base::system_error(path);
        if (got == 0) return content;
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > limit)
            return base::Error{path + " is larger than " + std::to_string(limit) + " bytes"};
    }
}

base::Result<NameList> NameList::read(const std::string& path) {
    TRY(auto content, read_file(path, 10 << 20));
    return NameList(std::move(content));
}

bool NameList::contains(std::string_view name) const {
    std::string_view rest = content_;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        if (rest.substr(0, end) == name && !name.empty()) return true;
        if (end == rest.npos) break;
        rest.remove_prefix(end + 1);
    }
    return false;
}

}  // namespace config
