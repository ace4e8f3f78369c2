// SPDX-License-Identifier: MIT
// Landlock: what a process still can do with files, in and outside of its folder, with no other
// layer in place.
#include "jail/landlock.hpp"

#include "jail/capabilities.hpp"
#include "jail/root.hpp"
#include "tests/jail/observed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using base::Error;
using base::Fd;
using base::Result;
using jail::FileRights;
using observed::Directory;
using observed::Process;

#define NEEDS_LANDLOCK(version) \
    if (jail::landlock_version() < version) GTEST_SKIP() << "needs Landlock's version " << version

bool is_bound(const std::string& path) {
    const Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Two folders alike; the process is let into one of them.
struct Folders {
    Directory directory;

    Folders() {
        for (const std::string folder : {"in", "out"}) {
            directory.directory(folder);
            directory.directory(folder + "/empty");
            directory.directory(folder + "/other");
            for (const auto* file : {"/file", "/removed", "/renamed", "/moved", "/other/replaced"})
                directory.file(folder + file);
            ::chmod(directory.path(folder + "/file").c_str(), 0755);
            directory.link(folder + "/link", "file");
            (void)::mkfifo(directory.path(folder + "/pipe").c_str(), 0600);
            (void)is_bound(directory.path(folder + "/service"));
        }
    }
};

bool done(int result) {
    if (result >= 0 && result > STDERR_FILENO) ::close(result);
    return result >= 0;
}

bool runs(const std::string& program) {
    const auto pid = ::fork();
    if (pid == 0) {
        ::execl(program.c_str(), program.c_str(), nullptr);
        // What was let through is no program.
        ::_exit(errno == ENOEXEC ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(pid, &status, 0) == pid && status == 0;
}

// clang-format off
struct Deed {
    const char* name;
    bool (*can)(const std::string& folder);
    bool FileRights::* right;  // null: nobody may, or everybody
    bool everybody = false;
    int since = 1;  // version
};
const Deed deeds[] = {
    {"read",    [](const std::string& in) { return done(::open((in + "/file").c_str(), O_RDONLY)); }, nullptr, true},
    {"list",    [](const std::string& in) { return done(::open(in.c_str(), O_RDONLY | O_DIRECTORY)); }, nullptr, true},
    {"write",   [](const std::string& in) { return done(::open((in + "/file").c_str(), O_WRONLY)); }, &FileRights::upload},
    {"create",  [](const std::string& in) { return done(::open((in + "/new").c_str(), O_WRONLY | O_CREAT, 0600)); }, &FileRights::upload},
    {"cut",     [](const std::string& in) { return ::truncate((in + "/file").c_str(), 1) == 0; }, &FileRights::upload, false, 3},
    {"mkdir",   [](const std::string& in) { return ::mkdir((in + "/made").c_str(), 0700) == 0; }, &FileRights::make_folders},
    {"rmdir",   [](const std::string& in) { return ::rmdir((in + "/empty").c_str()) == 0; }, &FileRights::remove_folders},
    {"unlink",  [](const std::string& in) { return ::unlink((in + "/removed").c_str()) == 0; }, &FileRights::remove_files},
    {"rename",  [](const std::string& in) { return ::rename((in + "/renamed").c_str(), (in + "/name").c_str()) == 0; }, &FileRights::rename},
    {"rename a link", [](const std::string& in) { return ::rename((in + "/link").c_str(), (in + "/link2").c_str()) == 0; }, &FileRights::rename},
    {"rename a pipe", [](const std::string& in) { return ::rename((in + "/pipe").c_str(), (in + "/pipe2").c_str()) == 0; }, &FileRights::rename},
    {"rename a socket", [](const std::string& in) { return ::rename((in + "/service").c_str(), (in + "/service2").c_str()) == 0; }, &FileRights::rename},
    {"move",    [](const std::string& in) { return ::rename((in + "/moved").c_str(), (in + "/other/replaced").c_str()) == 0; }, &FileRights::rename, false, 2},
    {"fifo",    [](const std::string& in) { return ::mkfifo((in + "/fifo").c_str(), 0600) == 0; }, &FileRights::rename},
    {"device",  [](const std::string& in) { return ::mknod((in + "/null").c_str(), S_IFCHR | 0666, 0x103) == 0; }, nullptr},
    {"socket",  [](const std::string& in) { return is_bound(in + "/socket"); }, &FileRights::rename},
    {"execute", [](const std::string& in) { return runs(in + "/file"); }, nullptr},
};
// clang-format on

// The names of all that could be done in a folder.
std::vector<std::string> what_works(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& deed : deeds) {
        if (deed.can(folder)) names.emplace_back(deed.name);
    }
    return names;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& each : names) text += each + ", ";
    return text;
}

Result<void> compare(const std::vector<std::string>& found,
                     const std::vector<std::string>& wanted) {
    if (found == wanted) return base::success();
    return Error{"possible: " + joined(found) + "but should be: " + joined(wanted), 0};
}

// To Landlock a renaming is a removal here and something new there, be it a pipe or a socket; the
// filter knows the difference.
FileRights with_what_renaming_is(FileRights rights) {
    if (rights.rename) rights.make_folders = rights.remove_files = rights.remove_folders = true;
    return rights;
}

std::vector<std::string> allowed_by(const FileRights& wanted) {
    const auto rights = with_what_renaming_is(wanted);
    std::vector<std::string> names;
    const int version = jail::landlock_version();
    for (const auto& deed : deeds) {
        const bool may = deed.everybody || (deed.right != nullptr && rights.*deed.right);
        // An older version does not know a truncation, but forbids every move.
        const bool known = deed.since <= version;
        const bool unknown_to_it = std::string_view(deed.name) == "cut";
        if (known ? may : unknown_to_it) names.emplace_back(deed.name);
    }
    return names;
}

Result<void> restrict_to(const std::string& folder, const FileRights& rights) {
    TRY(jail::forbid_new_privileges());
    const jail::Ground grounds[] = {
        {Fd{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)}, rights}};
    return jail::restrict_to(grounds);
}

TEST(Landlock, LeavesWhatTheRightsSayInItsFolderAndNothingOutside) {
    NEEDS_LANDLOCK(1);
    std::vector<FileRights> all{jail::read_only, jail::read_write};
    for (const auto right :
         {&FileRights::upload, &FileRights::make_folders, &FileRights::remove_files,
          &FileRights::remove_folders, &FileRights::rename, &FileRights::change_modes}) {
        all.emplace_back().*right = true;
    }
    for (const auto& rights : all) {
        const Folders folders;
        const Process process([&](int) -> Result<void> {
            TRY(restrict_to(folders.directory.path("in"), rights));
            TRY(compare(what_works(folders.directory.path("in")), allowed_by(rights)));
            auto outside = what_works(folders.directory.path("out"));
            std::erase(outside, "cut");  // versions 1 and 2
            return compare(outside, {});
        });
        EXPECT_EQ(process.error(), std::nullopt);
    }
}

TEST(Landlock, WithoutFilesIsNoneAtAll) {
    NEEDS_LANDLOCK(3);
    const Folders folders;
    const Process process([&](int) -> Result<void> {
        TRY(jail::forbid_new_privileges());
        TRY(jail::restrict_to_nothing());
        return compare(what_works(folders.directory.path("in")), {});
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

// As if the walls around the root had holes: a directory above is open, and the root is not even
// changed.
TEST(Landlock, HoldsWhereChrootIsLeft) {
    NEEDS_LANDLOCK(1);
    const Folders folders;
    const Process process([&](int) -> Result<void> {
        const Fd above{::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        TRY(restrict_to(folders.directory.path("in"), jail::read_write));
        if (done(::openat(above.get(), "etc/passwd", O_RDONLY))) return Error{"read", 0};
        if (done(::openat(above.get(), "etc", O_RDONLY | O_DIRECTORY))) return Error{"listed", 0};
        if (::chdir(folders.directory.path("in").c_str()) < 0) return base::system_error("chdir");
        if (done(::open("../out/file", O_RDONLY))) return Error{"climbed", 0};
        if (errno != EACCES) return base::system_error("another reason");
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(Landlock, HoldsInARootThatWasEntered) {
    NEEDS_ROOT();
    NEEDS_LANDLOCK(1);
    const Folders folders;
    const Process process([&](int) -> Result<void> {
        const Fd above{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
        TRY(jail::change_root(
            Fd{::open(folders.directory.path("in").c_str(), O_PATH | O_CLOEXEC)}));
        TRY(restrict_to("/", jail::read_only));
        TRY(compare(what_works("/"), allowed_by(jail::read_only)));
        // The classical way out.
        if (::fchdir(above.get()) < 0 || ::chroot(".") < 0) return base::system_error("chroot");
        if (done(::open("/etc/passwd", O_RDONLY))) return Error{"read", 0};
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

TEST(Landlock, KeepsFromBindingAndConnectingTcp) {
    NEEDS_LANDLOCK(4);
    const Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto address = loopback(0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener.get(), generic, size), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    ASSERT_EQ(::getsockname(listener.get(), generic, &size), 0);
    const Process process([&](int) -> Result<void> {
        TRY(jail::forbid_new_privileges());
        TRY(jail::restrict_to_nothing());
        const Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (::connect(socket.get(), generic, size) == 0 || errno != EACCES)
            return base::system_error("connected");
        auto any = loopback(0);
        if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0 ||
            errno != EACCES)
            return base::system_error("bound");
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(Landlock, KeepsFromAbstractSocketsAndSignalsOutside) {
    NEEDS_LANDLOCK(6);
    const Fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto name = "jail-test-" + std::to_string(::getpid());
    name.copy(address.sun_path + 1, sizeof address.sun_path - 2);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    ASSERT_EQ(::bind(listener.get(), generic, sizeof address), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    const Process process([&](int) -> Result<void> {
        TRY(jail::forbid_new_privileges());
        TRY(jail::restrict_to_nothing());
        const Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (::connect(socket.get(), generic, sizeof address) == 0 || errno != EPERM)
            return base::system_error("connected");
        if (::kill(::getppid(), 0) == 0 || errno != EPERM) return base::system_error("signalled");
        return base::success();
    });
    EXPECT_EQ(process.error(), std::nullopt);
}

TEST(Landlock, NeedsNoNewPrivilegesOrAdministratorsRights) {
    NEEDS_LANDLOCK(1);
    const Process process([](int) -> Result<void> {
        TRY(jail::drop_capabilities());
        return jail::restrict_to_nothing();
    });
    EXPECT_EQ(process.error(), "landlock_restrict_self: Operation not permitted");
}

TEST(Landlock, DoesWithoutItWhereItWouldForbidMoves) {
    EXPECT_FALSE(jail::landlock_suits(jail::read_only, 0));
    EXPECT_TRUE(jail::landlock_suits(jail::read_only, 1));
    EXPECT_FALSE(jail::landlock_suits(jail::read_write, 1));
    for (const int version : {2, 3, 7, 100})
        EXPECT_TRUE(jail::landlock_suits(jail::read_write, version)) << version;
}

}  // namespace
