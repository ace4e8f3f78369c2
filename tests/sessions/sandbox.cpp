// SPDX-License-Identifier: MIT
// A machine of its own for whole sessions.
#include "tests/sessions/sandbox.hpp"

#include "base/fd.hpp"

#include <crypt.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sessions {

namespace fs = std::filesystem;

namespace {

fs::path root;
std::vector<fs::path> small_mounts;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void mounted(const char* type, const fs::path& target, const std::string& data,
             unsigned long flags = 0) {
    if (::mount(type, target.c_str(), type, flags, data.empty() ? nullptr : data.c_str()) < 0)
        fail(std::string("mount ") + type + " on " + target.string());
}

// Namespaces of a chroot whose "/" is no mount point cannot be made private; then its mounts would
// show outside.
void stop_sharing_mounts() {
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        fail("make mounts private");
}

void loopback_up() {
    const base::Fd any{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    if (::ioctl(any.get(), SIOCGIFFLAGS, &request) < 0) fail("loopback");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (::ioctl(any.get(), SIOCSIFFLAGS, &request) < 0) fail("loopback up");
}

// An overlay where the kernel allows it (not on top of every file system), else a copy.
void private_etc() {
    const auto upper = place("etc-upper");
    const auto work = place("etc-work");
    fs::create_directories(upper);
    fs::create_directories(work);
    const auto data = "lowerdir=/etc,upperdir=" + upper.string() + ",workdir=" + work.string();
    if (::mount("overlay", "/etc", "overlay", 0, data.c_str()) == 0) return;
    fs::copy("/etc", upper,
             fs::copy_options::recursive | fs::copy_options::copy_symlinks |
                 fs::copy_options::skip_existing);
    if (::mount(upper.c_str(), "/etc", nullptr, MS_BIND, nullptr) < 0) fail("private /etc");
}

// Devices of the machine, and room for /dev/log.
void private_dev() {
    const auto made = place("dev");
    fs::create_directories(made);
    mounted("tmpfs", made, "mode=0755");
    for (const auto* name : {"null", "zero", "full", "random", "urandom", "tty", "fuse"}) {
        const auto from = fs::path("/dev") / name;
        if (!fs::exists(from)) continue;
        write_file(made / name, "");
        if (::mount(from.c_str(), (made / name).c_str(), nullptr, MS_BIND, nullptr) < 0)
            fail("bind " + from.string());
    }
    fs::create_directories(made / "shm");
    fs::permissions(made / "shm", fs::perms::all);
    fs::create_symlink("/proc/self/fd", made / "fd");
    if (::mount(made.c_str(), "/dev", nullptr, MS_MOVE, nullptr) < 0) fail("private /dev");
}

struct Line {
    const Account* account;
    const char* home;  // below the sandbox's home folder
    const char* shell;
    bool home_is_there = true;
    const char* expires = "";
    const char* locks = "";
};

void accounts() {
    const Line lines[] = {
        {&alice, "alice", "/bin/sh"},
        {&bob, "bob", "/bin/sh"},
        {&locked, "locked", "/bin/sh", true, "", "!"},
        {&expired, "expired", "/bin/sh", true, "1"},
        {&no_shell, "noshell", "/usr/sbin/nologin"},
        {&homeless, "nowhere", "/bin/sh", false},
        {&denied, "denied", "/bin/sh"},
        {&dotted, "dotted/./inside", "/bin/sh"},
        {&ftp_user, "ftp", "/bin/sh"},
        {&virtual_user, "virtual", "/bin/sh"},
    };
    std::string passwd =
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
    std::string shadow = "root:*:19000::::::\ndaemon:*:19000::::::\nnobody:*:19000::::::\n";
    std::string group = "root:x:0:\ndaemon:x:1:\nadm:x:4:\nshadow:x:42:\nnogroup:x:65534:\n";
    fs::create_directories(place("home"));
    for (const auto& line : lines) {
        const auto& account = *line.account;
        const auto id = std::to_string(account.uid);
        passwd += account.name + ":x:" + id + ":" + id + "::" + place("home").string() + "/" +
                  line.home + ":" + line.shell + "\n";
        shadow += account.name + ":" + line.locks +
                  (account.password == "!" ? "!" : hash_of(account.password)) +
                  ":19000:0:99999:7::" + line.expires + ":\n";
        group += account.name + ":x:" + id + ":\n";
        if (!line.home_is_there) continue;
        // As on a machine where jails work: the home is root's, what is in it the user's.
        make_folder(home_of(account));
        if (account.name != "ftp") make_folder(home_of(account) / "files", account.uid);
    }
    make_folder(home_of(dotted) / "inside", dotted.uid);
    make_folder(home_of(ftp_user) / "incoming", ftp_user.uid);
    group += "team:x:" + std::to_string(team) + ":alice\nweb:x:" + std::to_string(web) + ":alice\n";
    write_file("/etc/passwd", passwd);
    write_file("/etc/shadow", shadow);
    fs::permissions("/etc/shadow", fs::perms::owner_read | fs::perms::owner_write);
    write_file("/etc/group", group);
    write_file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n");
    write_file("/etc/shells", "/bin/sh\n/bin/bash\n");
    write_file("/etc/ftpusers", "root\ndaemon\nnobody\ndenied\n");
    // Debian's file for vsftpd, on stacks that refuse at once instead of after two seconds.
    write_file("/etc/pam.d/vsftpd",
               "auth required pam_listfile.so item=user sense=deny file=/etc/ftpusers "
               "onerr=succeed\n"
               "@include common-account\n"
               "@include common-session\n"
               "@include common-auth\n"
               "auth required pam_shells.so\n");
    write_file("/etc/pam.d/common-auth",
               "auth [success=1 default=ignore] pam_unix.so nodelay\n"
               "auth requisite pam_deny.so\n"
               "auth required pam_permit.so\n");
    write_file("/etc/pam.d/common-account",
               "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
               "account requisite pam_deny.so\n"
               "account required pam_permit.so\n");
    write_file("/etc/pam.d/common-session", "session required pam_permit.so\n");
    write_file("/etc/pam.d/other", "auth required pam_deny.so\naccount required pam_deny.so\n");
    for (const auto* name :
         {"/etc/vsftpd.conf", "/etc/jailftpd", "/etc/hosts.allow", "/etc/hosts.deny"})
        fs::remove_all(name);
}

void furnish() {
    stop_sharing_mounts();
    mounted("tmpfs", root, "mode=0755");
    mounted("proc", "/proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC);
    loopback_up();
    private_etc();
    private_dev();
    mounted("tmpfs", "/run", "mode=0755");
    mounted("tmpfs", "/var/log", "mode=0755");
    fs::create_directories("/run/vsftpd/empty");
    ::umask(022);
    ::unsetenv("http_proxy");
    ::unsetenv("ftp_proxy");
    ::setenv("HOME", place("client").c_str(), 1);
    ::setenv("TZ", "UTC0", 1);
}

// Process 1 of the namespace: reaps what nobody else does, and ends when the tests have.
[[noreturn]] void wait_for(pid_t tests) {
    for (;;) {
        int status = 0;
        const auto pid = ::wait(&status);
        if (pid == tests) ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        if (pid < 0 && errno != EINTR) ::_exit(1);
    }
}

[[noreturn]] void wait_outside(pid_t init) {
    int status = 0;
    while (::waitpid(init, &status, 0) < 0 && errno == EINTR) {
    }
    ::rmdir(root.c_str());
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

}  // namespace

std::string enter_sandbox() {
    if (::geteuid() != 0) return "needs root";
    std::string folder = "/tmp/jailftpd-test-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) return "cannot make a folder in /tmp";
    root = folder;
    std::fflush(nullptr);
    const auto outside = ::getpid();
    const pid_t maker = ::fork();
    if (maker < 0) return "fork failed";
    if (maker > 0) wait_outside(maker);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != outside) ::_exit(1);
    if (::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        return std::string("cannot make namespaces: ") + std::strerror(errno);
    const pid_t init = ::fork();
    if (init < 0) return "fork failed";
    if (init > 0) {
        int status = 0;
        while (::waitpid(init, &status, 0) < 0 && errno == EINTR) {
        }
        ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        furnish();
    } catch (const std::exception& problem) {
        return std::string("no sandbox: ") + problem.what();
    }
    const pid_t tests = ::fork();
    if (tests < 0) return "fork failed";
    if (tests > 0) wait_for(tests);
    return {};
}

void refurnish() {
    for (const auto& mount : small_mounts) ::umount2(mount.c_str(), MNT_DETACH);
    small_mounts.clear();
    for (const auto& entry : fs::directory_iterator(root)) {
        const auto name = entry.path().filename();
        if (name != "etc-upper" && name != "etc-work") fs::remove_all(entry.path());
    }
    fs::create_directories(place("client"));
    accounts();
}

fs::path place(std::string_view name) { return name.empty() ? root : root / name; }

fs::path home_of(const Account& account) { return place("home") / account.name; }

void write_file(const fs::path& path, std::string_view content) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
}

void write_file(const fs::path& path, std::string_view content, uid_t owner, mode_t mode) {
    write_file(path, content);
    if (::chown(path.c_str(), owner, owner) < 0 || ::chmod(path.c_str(), mode) < 0)
        fail("chown " + path.string());
}

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return "(none)";
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
}

void make_folder(const fs::path& path, uid_t owner, mode_t mode) {
    fs::create_directories(path);
    if (::chown(path.c_str(), owner, owner) < 0 || ::chmod(path.c_str(), mode) < 0)
        fail("chown " + path.string());
}

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : static_cast<mode_t>(-1);
}

uid_t owner_of(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_uid : static_cast<uid_t>(-1);
}

void mount_small(const fs::path& path, std::size_t bytes, uid_t owner, const std::string& more) {
    fs::create_directories(path);
    small_mounts.push_back(path);
    mounted("tmpfs", path,
            "size=" + std::to_string(bytes) + ",mode=0755,uid=" + std::to_string(owner) + more);
}

std::string hash_of(const std::string& password) {
    crypt_data data{};
    const char* hash = ::crypt_r(password.c_str(), "$6$rounds=1000$jailftpdtest$", &data);
    if (hash == nullptr) throw std::runtime_error("crypt failed");
    return hash;
}

std::string noise(std::size_t bytes, unsigned seed) {
    std::mt19937_64 generator(seed);
    std::string text((bytes + 7) / 8 * 8, '\0');
    for (std::size_t at = 0; at < text.size(); at += 8) {
        const auto number = generator();
        std::memcpy(text.data() + at, &number, sizeof number);
    }
    text.resize(bytes);
    return text;
}

}  // namespace sessions
