// SPDX-License-Identifier: MIT
// Attacks on files outside of the jail; run in a process that stands in it.
#include "base/fd.hpp"
#include "proof/attack.hpp"
#include "session/beneath.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace proof {

using base::Error;
using base::Fd;
using base::Result;

namespace {

constexpr int patience = 100;  // milliseconds, for what somebody on the host does meanwhile

std::string far_up() {
    std::string path;
    for (int i = 0; i < 40; ++i) path += "../";
    return path;
}

std::string below(const Scene& scene, const char* name) { return scene.inside + '/' + name; }

// ----- paths

Result<void> by_its_path(const Scene& scene) { return read_token(scene, scene.secret); }

Result<void> by_dots(const Scene& scene) { return read_token(scene, far_up() + scene.secret); }

Result<void> by_dots_of_a_folder(const Scene& scene) {
    const Fd folder{::open(scene.inside.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    return read_token(scene, folder.get(), far_up() + scene.secret);
}

Result<void> by_changing_directories(const Scene& scene) {
    for (int i = 0; i < 40; ++i) {
        TRY(checked(::chdir(".."), "chdir"));
    }
    return read_token(scene, scene.secret.substr(1));
}

Result<void> by_openat2(const Scene& scene) {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    const Fd file{
        static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, scene.secret.c_str(), &how, sizeof how))};
    if (!file) return base::system_error("openat2");
    return base::success();
}

Result<void> by_an_absolute_link(const Scene& scene) {
    return read_token(scene, below(scene, "absolute"));
}

Result<void> by_a_relative_link(const Scene& scene) {
    return read_token(scene, below(scene, "relative"));
}

// The folder and a link to the one outside change places all the time.
Result<void> by_a_race_of_links(const Scene& scene) {
    Result<void> last = base::success();
    for (int i = 0; i < 20 * patience; ++i) {
        last = read_token(scene, below(scene, "race/secret"));
        if (last) return last;
        if (i % 20 == 0) ::usleep(1000);
    }
    return last;
}

// Whoever stands in a folder that is moved out of a plain chroot stands outside; it comes and goes.
Result<void> by_a_folder_that_is_moved(const Scene& scene) {
    Fd deep;
    for (int i = 0; i < patience; ++i) {
        if (!deep)
            deep = Fd{::open(below(scene, "deep").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
        if (deep && read_token(scene, deep.get(), "../secret")) return base::success();
        ::usleep(1000);
    }
    return read_token(scene, deep.get(), "../secret");
}

Result<void> by_a_hard_link(const Scene& scene) {
    const auto link = below(scene, "hard");
    TRY(checked(::linkat(AT_FDCWD, scene.secret.c_str(), AT_FDCWD, link.c_str(), 0), "link"));
    const auto result = read_token(scene, link);
    (void)::unlink(link.c_str());
    return result;
}

Result<void> by_a_rename(const Scene& scene) {
    const auto fetched = below(scene, "fetched");
    TRY(checked(::renameat(AT_FDCWD, scene.secret.c_str(), AT_FDCWD, fetched.c_str()), "rename"));
    (void)::renameat(AT_FDCWD, fetched.c_str(), AT_FDCWD, scene.secret.c_str());
    return base::success();
}

Result<void> by_descriptors(const Scene& scene) {
    for (int number = 0; number < 256; ++number) {
        if (read_token(scene, number, "." + ('/' + far_up()) + scene.secret))
            return base::success();
    }
    return Error{"no descriptor leads there", EBADF};
}

Result<void> by_fchdir(const Scene& scene) {
    for (int number = 0; number < 256; ++number) {
        if (::fchdir(number) < 0) continue;
        if (read_token(scene, far_up() + scene.secret)) return base::success();
    }
    return base::system_error("fchdir");
}

Result<void> by_a_second_chroot(const Scene& scene) {
    TRY(checked(::chroot(below(scene, "deep").c_str()), "chroot"));
    for (int i = 0; i < 40; ++i) (void)!::chdir("..");
    return read_token(scene, scene.secret.substr(1));
}

Result<void> by_a_handle(const Scene& scene) {
    auto handle = scene.handle;
    const Fd mount{::open(scene.inside.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const Fd file{static_cast<int>(
        ::syscall(SYS_open_by_handle_at, mount.get(), handle.data(), O_RDONLY | O_CLOEXEC))};
    if (!file) return base::system_error("open_by_handle_at");
    return base::success();
}

bool has_handle(const Scene& scene) { return !scene.handle.empty() && !scene.inside.empty(); }
bool has_folder(const Scene& scene) { return !scene.inside.empty(); }
bool is_movable(const Scene& scene) { return scene.movable; }
bool has_roots_file(const Scene& scene) { return !scene.private_secret.empty(); }
bool has_set_uid(const Scene& scene) { return has_folder(scene) && scene.set_uid.st_uid == 0; }

void swap_links(const Folders& folders) {
    constexpr unsigned exchange = 2;  // RENAME_EXCHANGE
    for (int i = 0; i < 51; ++i)
        (void)::syscall(SYS_renameat2, folders.inside, "race", folders.inside, "other", exchange);
}

void move_folder(const Folders& folders) {
    if (::renameat(folders.inside, "deep", folders.outside, "deep") < 0)
        (void)::renameat(folders.outside, "deep", folders.inside, "deep");
}

// ----- /proc, and mounting what is not there

Result<void> by_the_root_of_process_1(const Scene& scene) {
    return read_token(scene, "/proc/1/root" + scene.secret);
}

Result<void> by_its_own_root(const Scene& scene) {
    return read_token(scene, "/proc/self/root/" + far_up() + scene.secret);
}

Result<void> by_the_root_of_the_supervisor(const Scene& scene) {
    return read_token(scene, "/proc/" + std::to_string(scene.supervisor) + "/root" + scene.secret);
}

// Fsopen leaves the tree of mounts alone.
Result<void> by_a_mounted_proc(const Scene& scene) {
    const Fd kind{static_cast<int>(::syscall(SYS_fsopen, "proc", 1U))};
    if (!kind) return base::system_error("fsopen");
    constexpr unsigned create = 6;
    TRY(checked(::syscall(SYS_fsconfig, kind.get(), create, nullptr, nullptr, 0), "fsconfig"));
    const Fd mount{static_cast<int>(::syscall(SYS_fsmount, kind.get(), 1U, 0U))};
    if (!mount) return base::system_error("fsmount");
    return read_token(scene, mount.get(), "1/root" + scene.secret);
}

Result<void> by_mount(const Scene& scene) {
    TRY(checked(::mount("none", below(scene, "deep").c_str(), "tmpfs", MS_NOSUID, "size=4k"),
                "mount"));
    (void)::umount2(below(scene, "deep").c_str(), MNT_DETACH);
    return base::success();
}

// Of what is no mount, so that it could do no harm: whether the right to it was there is said
// first.
Result<void> by_unmounting(const Scene& scene) {
    if (::umount2(below(scene, "deep").c_str(), MNT_DETACH) == 0 || errno == EINVAL)
        return base::success();
    return base::system_error("umount2");
}

Result<void> by_pivot_root(const Scene& scene) {
    const auto folder = below(scene, "deep");
    TRY(checked(::syscall(SYS_pivot_root, folder.c_str(), folder.c_str()), "pivot_root"));
    return base::success();
}

Result<void> by_cloning_a_mount(const Scene& scene) {
    const Fd tree{static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, scene.outside.c_str(), 1U))};
    if (!tree) return base::system_error("open_tree");
    return read_token(scene, tree.get(), "secret");
}

// ----- writing outside

Result<void> by_writing(const Scene& scene) {
    const auto path = scene.outside + "/planted";
    const Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    if (!file) return base::system_error("open");
    (void)::unlink(path.c_str());
    return base::success();
}

Result<void> by_making_a_folder(const Scene& scene) {
    const auto path = scene.outside + "/planted-folder";
    TRY(checked(::mkdirat(AT_FDCWD, path.c_str(), 0700), "mkdir"));
    (void)::rmdir(path.c_str());
    return base::success();
}

Result<void> by_roots_own_file(const Scene& scene) {
    return read_token(scene, scene.private_secret);
}

Result<void> by_a_kernel_setting(const Scene&) {
    const Fd file{::open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC)};
    if (!file) return base::system_error("open");
    return base::success();
}

// ----- devices and programs

Result<void> by_a_host_device(const Scene&) {
    const Fd file{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    if (!file) return base::system_error("open");
    return base::success();
}

Result<void> by_making_a_device(const Scene& scene) {
    const auto path = below(scene, "device");
    TRY(checked(::mknodat(AT_FDCWD, path.c_str(), S_IFCHR | 0666, ::makedev(1, 3)), "mknod"));
    const Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    const int number = errno;
    (void)::unlink(path.c_str());
    if (!file) return base::system_error("open", number);
    return base::success();
}

// Never what somebody else has put there meanwhile: this may be tried without any layer around.
Result<void> start(const std::string& path, const struct stat& expected) {
    const Fd file{::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    struct stat found {};
    if (!file || ::fstat(file.get(), &found) < 0) return base::system_error("open");
    if (found.st_dev != expected.st_dev || found.st_ino != expected.st_ino ||
        found.st_uid != expected.st_uid || found.st_size != expected.st_size ||
        found.st_mode != expected.st_mode)
        return base::Error{"another program stands there", EPERM};
    char* const none[] = {nullptr};
    TRY(checked(::execveat(file.get(), "", none, none, AT_EMPTY_PATH), "execveat"));
    return base::success();
}

Result<void> by_a_planted_program(const Scene& scene) {
    return start(below(scene, "program"), scene.program);
}

Result<void> by_a_set_uid_program(const Scene& scene) {
    return start(below(scene, "set-uid"), scene.set_uid);
}

Result<void> by_a_planted_library(const Scene& scene) {
    const Fd file{::open(below(scene, "program").c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) return base::system_error("open");
    void* code = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
    if (code == MAP_FAILED) return base::system_error("mmap");
    return base::success();
}

// ----- below the root, what the options do not leave; openat2's flags are hidden from the filter

Result<void> against_options_by_openat2(const Scene& scene) {
    open_how how{};
    how.flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    how.mode = 0600;
    const auto path = below(scene, "not-wanted");
    const Fd file{
        static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how))};
    if (!file) return base::system_error("openat2");
    return base::success();
}

Result<void> against_options_by_removing(const Scene& scene) {
    TRY(checked(::unlinkat(AT_FDCWD, below(scene, "victim").c_str(), 0), "unlink"));
    return base::success();
}

Result<void> against_options_by_a_folder(const Scene& scene) {
    TRY(checked(::mkdirat(AT_FDCWD, below(scene, "not-wanted-folder").c_str(), 0700), "mkdir"));
    return base::success();
}

Result<void> against_options_by_renaming(const Scene& scene) {
    TRY(checked(::renameat(AT_FDCWD, below(scene, "victim").c_str(), AT_FDCWD,
                           below(scene, "renamed").c_str()),
                "rename"));
    (void)::renameat(AT_FDCWD, below(scene, "renamed").c_str(), AT_FDCWD,
                     below(scene, "victim").c_str());
    return base::success();
}

bool no_upload(const Scene& scene) { return has_folder(scene) && !scene.rights.upload; }
bool no_removal(const Scene& scene) { return has_folder(scene) && !scene.rights.remove_files; }
bool no_folders(const Scene& scene) { return has_folder(scene) && !scene.rights.make_folders; }
bool no_renaming(const Scene& scene) { return has_folder(scene) && !scene.rights.rename; }

// ----- what a session does for its client

Result<void> follow(const Scene& scene, const std::string& path) {
    Fd home{scene.home >= 0 ? ::openat(scene.home, ".", O_PATH | O_DIRECTORY | O_CLOEXEC)
                            : ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const session::Root root(std::move(home));
    TRY(const auto file, root.open(path, O_RDONLY));
    return expect_token(scene, file);
}

std::string seen_by_client(const Scene& scene, const char* name) {
    return '/' + scene.inside.substr(scene.inside.rfind('/') + 1) + '/' + name;
}

Result<void> client_by_dots(const Scene& scene) { return follow(scene, far_up() + scene.secret); }

Result<void> client_by_an_absolute_link(const Scene& scene) {
    return follow(scene, seen_by_client(scene, "absolute"));
}

Result<void> client_by_a_relative_link(const Scene& scene) {
    return follow(scene, seen_by_client(scene, "relative"));
}

Result<void> client_by_a_race(const Scene& scene) {
    Result<void> last = base::success();
    for (int i = 0; i < 5 * patience; ++i) {
        last = follow(scene, seen_by_client(scene, "race/secret"));
        if (last) return last;
    }
    return last;
}

Result<void> client_by_proc(const Scene& scene) {
    return follow(scene, "/proc/self/root" + scene.secret);
}

// clang-format off
constexpr Attack by_paths[] = {
    {"\"..\"",                            client_by_dots,             has_folder},
    {"an absolute link",                  client_by_an_absolute_link, has_folder},
    {"a relative link",                   client_by_a_relative_link,  has_folder},
    {"links that change meanwhile",       client_by_a_race,           has_folder, swap_links},
    {"a magic link of /proc",             client_by_proc,             has_folder},
};

constexpr Attack attacks[] = {
    // name                                              how                          when           meanwhile      exit code
    {"read a file by its path",                          by_its_path},
    {"the same by openat2",                              by_openat2},
    {"the same by \"..\"",                               by_dots},
    {"the same by \"..\" from a folder that is open",    by_dots_of_a_folder,         has_folder},
    {"the same by chdir(\"..\")",                        by_changing_directories},
    {"the same by an absolute link",                     by_an_absolute_link,         has_folder},
    {"the same by a relative link",                      by_a_relative_link,          has_folder},
    {"the same by links that change during the look-up", by_a_race_of_links,          has_folder,    swap_links},
    {"the same from a folder that is moved out",         by_a_folder_that_is_moved,   is_movable,    move_folder},
    {"the same by a hard link",                          by_a_hard_link,              has_folder},
    {"the same by a rename into the home",               by_a_rename,                 has_folder},
    {"the same by any descriptor that is open",          by_descriptors},
    {"the same by fchdir to any descriptor",             by_fchdir},
    {"the same by a second chroot",                      by_a_second_chroot,          has_folder},
    {"the same by a file handle",                        by_a_handle,                 has_handle},
    {"the same by /proc/1/root",                         by_the_root_of_process_1},
    {"the same by /proc/self/root",                      by_its_own_root},
    {"the same by the supervisor's root in /proc",       by_the_root_of_the_supervisor},
    {"the same by a /proc that it mounts",               by_a_mounted_proc},
    {"the same by a clone of the host's mount",          by_cloning_a_mount},
    {"read a file that is root's alone",                 by_roots_own_file,           has_roots_file},
    {"write into a folder that is everybody's",          by_writing},
    {"make a folder there",                              by_making_a_folder},
    {"write to a setting of the kernel",                 by_a_kernel_setting},
    {"mount something",                                  by_mount,                    has_folder},
    {"unmount something",                                by_unmounting,               has_folder},
    {"pivot_root",                                       by_pivot_root,               has_folder},
    {"open a device of the host",                        by_a_host_device},
    {"make a device and open it",                        by_making_a_device,          has_folder},
    {"start a program that was planted",                 by_a_planted_program,        has_folder,    nullptr,       program_ran},
    {"start one that is set-uid root",                   by_a_set_uid_program,        has_set_uid,   nullptr,       set_uid_ran},
    {"load a library that was planted",                  by_a_planted_library,        has_folder},
    {"make a file, which the options forbid",            against_options_by_openat2,  no_upload},
    {"remove a file, which the options forbid",          against_options_by_removing, no_removal},
    {"make a folder, which the options forbid",          against_options_by_a_folder, no_folders},
    {"rename a file, which the options forbid",          against_options_by_renaming, no_renaming},
};
// clang-format on

}  // namespace

std::span<const Attack> attacks_by_paths() { return by_paths; }
std::span<const Attack> attacks_on_files() { return attacks; }

}  // namespace proof
