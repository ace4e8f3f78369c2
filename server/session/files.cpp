// SPDX-License-Identifier: MIT
// Opens, makes, renames and removes the user's files beneath the jail's root; runs in the session.
#include "session/files.hpp"

#include "ftp/path.hpp"
#include "ftp/replies.hpp"

#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace session {

using base::Error;
using base::Fd;
using base::Result;
using base::success;
using base::system_error;

namespace {

// A FIFO that stands where a file should is not waited for, and a terminal does not become ours.
constexpr int careful = O_NONBLOCK | O_NOCTTY;

constexpr int most_tries = 16;  // when somebody makes and removes the file at the same moment

#ifdef SYS_fchmodat2
constexpr long fchmodat2 = SYS_fchmodat2;
#else
constexpr long fchmodat2 = 452;  // newer than the C library's headers
#endif

Result<struct stat> status_of(const Fd& file, const std::string& path) {
    struct stat status {};
    if (::fstat(file.get(), &status) < 0) return system_error(path);
    return status;
}

Result<struct stat> regular(const Fd& file, const std::string& path) {
    TRY(const auto status, status_of(file, path));
    if (S_ISDIR(status.st_mode)) return Error{path, EISDIR};
    if (!S_ISREG(status.st_mode)) return Error{path, ftp::not_a_regular_file};
    return status;
}

Result<OpenFile> opened(Fd file, const std::string& path) {
    TRY(const auto status, regular(file, path));
    // Some file systems (DMAPI, FUSE) would honour it in reads.
    (void)::fcntl(file.get(), F_SETFL, 0);
    return OpenFile{std::move(file), status, false};
}

// The file that is there already.
Result<OpenFile> open_existing(const Root& root, const std::string& path) {
    // Looked at first: a FIFO's reader would notice the opening, and so do some devices.
    TRY(const auto found, root.open(path, O_PATH));
    TRY(regular(found, path));
    TRY(auto file, root.open(path, O_WRONLY | careful));
    return opened(std::move(file), path);
}

// Through a link to nothing, which O_EXCL does not follow, to where the link leads.
Result<OpenFile> create_at_end_of_link(const Root& root, const std::string& path, mode_t mode) {
    TRY(const auto spot, root.spot(path, true));
    if (spot.found) return Error{path, EEXIST};
    if (spot.slash) return Error{path, EISDIR};
    Fd file{::openat(spot.folder.get(), spot.name.c_str(),
                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
    if (!file) return system_error(path);
    return OpenFile{std::move(file), {}, true};
}

// Where something is made, removed or renamed. The calls that take this never follow a last link,
// not even for a trailing slash, and know best what that means to them.
struct Here {
    Fd folder;
    std::string name;
};

// `number` is what the kernel says of "/", "." and "..".
Result<Here> place(const Root& root, const std::string& path, int number) {
    const auto place = ftp::place(path);
    if (!place) {
        TRY(root.open(path, O_PATH));
        return Error{path, number};
    }
    TRY(auto folder, root.open(place->parent, O_PATH | O_DIRECTORY));
    return Here{std::move(folder), place->slash ? place->name + '/' : place->name};
}

bool same(const Fd& one, const Fd& other) {
    struct stat first {};
    struct stat second {};
    return ::fstat(one.get(), &first) == 0 && ::fstat(other.get(), &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// What stands there, opened for more than a look; none if that cannot be, or it has been replaced.
Fd open_found(const Spot& spot) {
    struct stat status {};
    if (::fstat(spot.found.get(), &status) < 0) return {};
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return {};
    for (const int access : {O_RDONLY, O_WRONLY}) {
        Fd file{::openat(spot.folder.get(), spot.name.c_str(),
                         access | O_NOFOLLOW | O_CLOEXEC | careful)};
        if (file && same(file, spot.found)) return file;
    }
    return {};
}

// Kernels before 6.6 change the mode of no descriptor that cannot read or write. There is no /proc
// in a jail to help.
Result<void> change_mode_by_name(const Root& root, const std::string& path, mode_t mode) {
    TRY(const auto spot, root.spot(path, true));
    if (!spot.found) return Error{path, ENOENT};
    if (const auto file = open_found(spot)) {
        if (::fchmod(file.get(), mode) < 0) return system_error(path);
        return success();
    }
    // Neither readable nor writable to its owner. Whoever exchanges it for a link in this moment
    // only gets the mode of another file of his own changed.
    if (::syscall(SYS_fchmodat, spot.folder.get(), spot.name.c_str(), mode) < 0)
        return system_error(path);
    return success();
}

Result<void> sync_file_system(const Fd& anything, const std::string& path) {
    if (::syncfs(anything.get()) < 0) return system_error(path);
    return success();
}

// A file or folder, onto the disk. EINVAL: this file system does not know how, for one alone.
Result<void> sync_one(const Fd& what, const std::string& path) {
    while (::fsync(what.get()) < 0) {
        if (errno == EINVAL) return sync_file_system(what, path);
        if (errno != EINTR) return system_error(path);
    }
    return success();
}

// To be synced; none if the user may use the names in it and not read them, as in a drop box.
Fd readable(const Fd& folder) {
    return Fd{::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

std::string physical_path(const Spot& spot) {
    std::string path;
    for (const auto& name : spot.above) (path += '/') += name;
    if (spot.name != ".") (path += '/') += spot.name;
    return path.empty() ? "/" : path;
}

}  // namespace

Result<Files> Files::open_root(const char* path, bool syncs) {
    Fd root{::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!root) return system_error(path);
    return Files(Root(std::move(root)), syncs);
}

// ----- opening

Result<OpenFile> Files::open(const std::string& path) const {
    auto file = root_.open(path, O_RDONLY | careful);
    if (!file && file.error().number == ENXIO)  // a socket
        return Error{path, ftp::not_a_regular_file};
    if (!file) return file.error();
    return opened(std::move(file.value()), path);
}

Result<OpenFile> Files::create(const std::string& path, mode_t mode, bool exclusive) const {
    // To write to a file takes these two bits off; without a byte written they would stay.
    mode &= 07777 & ~(S_ISUID | S_ISGID);
    for (int tries = 0; tries < most_tries; ++tries) {
        // In this order, so that it is known who made the file.
        auto made = root_.open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (made) return OpenFile{std::move(made.value()), {}, true};
        if (exclusive || made.error().number == EISDIR) return made.error();

        auto existing = open_existing(root_, path);
        if (existing || existing.error().number != ENOENT) return existing;
        if (made.error().number != EEXIST) return made.error();

        auto linked = create_at_end_of_link(root_, path, mode);
        if (linked || linked.error().number != EEXIST) return linked;
    }
    return Error{path, EAGAIN};
}

Result<Fd> Files::open_folder(const std::string& path, bool follow_last) const {
    return root_.open(path, O_RDONLY | O_DIRECTORY | careful | (follow_last ? 0 : O_NOFOLLOW));
}

Result<Fd> Files::find(const std::string& path, bool follow_last) const {
    return root_.open(path, O_PATH | (follow_last ? 0 : O_NOFOLLOW));
}

// ----- onto the disk

// A name that an earlier command made may not be there yet either: that of an upload that was cut
// off and is resumed now. So it does not matter who made it.
Result<void> Files::sync(const Fd& file, const std::string& path) const {
    if (!syncs_) return success();
    TRY(sync_one(file, path));
    const auto spot = root_.spot(path, true);
    if (spot && spot.value().found && same(spot.value().found, file)) {
        if (const auto folder = readable(spot.value().folder)) return sync_one(folder, path);
    }
    // Somebody has moved it meanwhile, or the folder may not be read.
    return sync_file_system(file, path);
}

// Where neither the folder can be opened nor what is in it, the disk has the old name or the new
// one after a power cut, and what has been stored in either case.
Result<void> Files::sync_names(const Fd& folder, const std::string& path) const {
    if (const auto opened = readable(folder)) return sync_one(opened, path);
    const auto spot = root_.spot(path, false);
    if (!spot || !spot.value().found) return success();
    const auto inside = open_found(spot.value());
    return inside ? sync_file_system(inside, path) : success();
}

// ----- asking

Result<struct stat> Files::status(const std::string& path, bool follow_last) const {
    TRY(const auto found, find(path, follow_last));
    return status_of(found, path);
}

Result<struct statvfs> Files::space(const std::string& path) const {
    TRY(const auto found, find(path));
    struct statvfs space {};
    if (::fstatvfs(found.get(), &space) < 0) return system_error(path);
    return space;
}

Result<std::string> Files::enter(const std::string& path) const {
    // Without links a path is what it says.
    if (root_.enterable_without_links(path)) return ftp::normalised(path);
    TRY(const auto spot, root_.spot(path, true));
    if (!spot.found) return Error{path, ENOENT};
    // "." asks for search permission, as chdir(2) does.
    const Fd folder{::openat(spot.found.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!folder) return system_error(path);
    auto physical = physical_path(spot);
    if (!ftp::fits(physical)) return Error{path, ENAMETOOLONG};
    return physical;
}

// ----- changing

Result<void> Files::make_folder(const std::string& path) const {
    TRY(const auto here, place(root_, path, EEXIST));
    if (::mkdirat(here.folder.get(), here.name.c_str(), 0777) < 0) return system_error(path);
    if (syncs_) return sync_names(here.folder, path);
    return success();
}

Result<void> Files::remove_folder(const std::string& path) const {
    TRY(const auto here, place(root_, path, EBUSY));
    if (::unlinkat(here.folder.get(), here.name.c_str(), AT_REMOVEDIR) < 0)
        return system_error(path);
    return success();
}

Result<void> Files::remove(const std::string& path) const {
    TRY(const auto here, place(root_, path, EISDIR));
    if (::unlinkat(here.folder.get(), here.name.c_str(), 0) < 0) return system_error(path);
    return success();
}

Result<void> Files::remove_end(const std::string& path, const struct stat& file) const {
    TRY(const auto spot, root_.spot(path, true));
    if (!spot.found) return Error{path, ENOENT};
    TRY(const auto there, status_of(spot.found, path));
    if (there.st_dev != file.st_dev || there.st_ino != file.st_ino) return Error{path, ENOENT};
    if (::unlinkat(spot.folder.get(), spot.name.c_str(), 0) < 0) return system_error(path);
    return success();
}

Result<void> Files::rename(const std::string& from, const std::string& to) const {
    TRY(const auto old, place(root_, from, EBUSY));
    TRY(const auto wanted, place(root_, to, EBUSY));
    if (::renameat(old.folder.get(), old.name.c_str(), wanted.folder.get(), wanted.name.c_str()) <
        0)
        return system_error(from);
    if (!syncs_) return success();
    TRY(sync_names(wanted.folder, to));
    if (!same(old.folder, wanted.folder)) {
        TRY(sync_names(old.folder, to));
    }
    return success();
}

Result<void> Files::change_mode(const std::string& path, mode_t mode) const {
    mode &= 07777;
    TRY(const auto found, find(path));
    if (root_.way() == Way::kernel &&
        ::syscall(fchmodat2, found.get(), "", mode, AT_EMPTY_PATH) == 0)
        return success();
    return change_mode_by_name(root_, path, mode);
}

Result<void> Files::set_time(const std::string& path, std::int64_t seconds,
                             std::uint32_t nanoseconds) const {
    const struct timespec times[2] = {
        {0, UTIME_OMIT}, {static_cast<time_t>(seconds), static_cast<long>(nanoseconds)}};
    TRY(const auto found, find(path));
    if (root_.way() == Way::kernel && ::utimensat(found.get(), "", times, AT_EMPTY_PATH) == 0)
        return success();
    // Kernels before 5.8 know no empty path.
    TRY(const auto spot, root_.spot(path, true));
    if (::utimensat(spot.folder.get(), spot.name.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
        return system_error(path);
    return success();
}

}  // namespace session
