// SPDX-License-Identifier: MIT
// Look-ups in the user database, and uploads that change their owner; runs in a helper.
#include "helpers/lookups.hpp"

#include "config/load.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>

#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helpers {
namespace {

bool is_one_of(dev_t device, std::span<const std::uint64_t> devices) {
    return device != 0 && std::find(devices.begin(), devices.end(), device) != devices.end();
}

// The session is not to be believed: with a link elsewhere, or a descriptor that it got read-only,
// it would give away what was never an upload.
int is_an_upload(const ipc::ChangeOwner& question, const base::Fd& file) {
    struct stat status {};
    if (::fstat(file.get(), &status) < 0) return errno;
    const int flags = ::fcntl(file.get(), F_GETFL);
    if (flags < 0) return errno;
    const bool written = (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0;
    const bool upload = S_ISREG(status.st_mode) && status.st_nlink == 1 &&
                        is_one_of(status.st_dev, question.devices) &&
                        status.st_uid == question.owner;
    return written && upload ? 0 : EPERM;
}

int give_away(const ipc::ChangeOwner& question, const base::Fd& file) {
    if (const int number = is_an_upload(question, file); number != 0) return number;
    // The owner first: chown(2) takes set-id bits away, and a mode that is more than the new owner
    // should have of the old one's must not be there before.
    if (::fchown(file.get(), question.new_owner, static_cast<gid_t>(-1)) < 0) return errno;
    if (::fchmod(file.get(), question.new_mode & 0777) < 0) return errno;
    return 0;
}

}  // namespace

ipc::Named name_of(const ipc::NameOf& question) {
    ipc::Named answer{};
    answer.id = question.id;
    if (question.group != 0) {
        if (const auto* entry = ::getgrgid(question.number)) answer.name.assign(entry->gr_name);
    } else {
        if (const auto* entry = ::getpwuid(question.number)) answer.name.assign(entry->pw_name);
    }
    return answer;
}

ipc::HomeTold home_of(const ipc::HomeOf& question) {
    ipc::HomeTold answer{};
    answer.id = question.id;
    const std::string name(question.user.view());
    if (const auto* entry = ::getpwnam(name.c_str())) answer.path.assign(entry->pw_dir);
    return answer;
}

ipc::Resolved resolve(const ipc::Resolve& question) {
    ipc::Resolved answer{};
    answer.id = question.id;
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string name(question.name.view());
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return answer;
    sockaddr_in address{};
    std::memcpy(&address, found->ai_addr, sizeof address);
    ::freeaddrinfo(found);
    answer.address = address.sin_addr;
    return answer;
}

ipc::Stamped stamp(const ipc::Stamp& question, const config::Configuration& configuration) {
    ipc::Stamped answer{};
    answer.id = question.id;
    answer.stamp = question.certificates != 0 ? config::stamp_of_certificates(configuration)
                                              : config::stamp_of_files(configuration.options);
    return answer;
}

ipc::OwnerChanged change_owner(const ipc::ChangeOwner& question, const base::Fd& file) {
    ipc::OwnerChanged answer{};
    answer.id = question.id;
    answer.number = give_away(question, file);
    return answer;
}

}  // namespace helpers
