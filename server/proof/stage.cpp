// SPDX-License-Identifier: MIT
// Puts up what attacks try to reach; runs as root or as the launching user, on the host.
#include "proof/stage.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <arpa/inet.h>
#include <elf.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace proof {

using base::Fd;
using base::Result;
using base::system_error;

namespace {

constexpr const char* prefix = "/.jailftpd-self-test-";
constexpr int as_folder = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

std::string random_text() {
    unsigned char bytes[8];
    if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) return "0";
    std::string text;
    for (const auto each : bytes) text += static_cast<char>('a' + each % 26);
    return text;
}

Result<struct stat> write_file(int folder, const char* name, std::string_view content,
                               mode_t mode) {
    const Fd file{
        ::openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file ||
        ::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
        return system_error(name);
    struct stat made {};
    if (::fchmod(file.get(), mode) < 0 || ::fstat(file.get(), &made) < 0) return system_error(name);
    return made;
}

// Nobody else can change names in it.
bool is_roots(int folder) {
    struct stat found {};
    return ::fstat(folder, &found) == 0 && found.st_uid == 0 &&
           ((found.st_mode & 022) == 0 || (found.st_mode & S_ISVTX) != 0);
}

// Nor in any folder above.
bool is_roots_way(const std::string& path) {
    for (auto end = path.size(); end != std::string::npos && end > 0;
         end = path.rfind('/', end - 1)) {
        const Fd folder{::open(path.substr(0, end).c_str(), as_folder)};
        if (!folder || !is_roots(folder.get())) return false;
    }
    return true;
}

// user: null for root.
bool make_folder(int folder, const char* name, const jail::Identity* user) {
    if (user == nullptr) return ::mkdirat(folder, name, 0700) == 0;
    const auto as_user = jail::Borrowed::take(*user);
    return as_user && ::mkdirat(folder, name, 0700) == 0;
}

// The smallest program that runs on anything: it ends at once, and the exit code says whether it
// did so as root.
std::string program() {
#if defined(__x86_64__)
    constexpr auto machine = EM_X86_64;
    constexpr unsigned char code[] = {
        0xb8, 0x6b, 0,           0, 0,  // mov eax, geteuid
        0x0f, 0x05,                     // syscall
        0x85, 0xc0,                     // test eax, eax
        0x0f, 0x95, 0xc0,               // setne al
        0x0f, 0xb6, 0xf8,               // movzx edi, al
        0x83, 0xc7, set_uid_ran,        // add edi, set_uid_ran
        0xb8, 0x3c, 0,           0, 0,  // mov eax, exit
        0x0f, 0x05,                     // syscall
    };
#elif defined(__aarch64__)
    constexpr auto machine = EM_AARCH64;
    constexpr unsigned code[] = {
        0xd28015e8,                      // mov x8, geteuid
        0xd4000001,                      // svc 0
        0x7100001f,                      // cmp w0, 0
        0x1a9f07e0,                      // cset w0, ne
        0x11000000 | set_uid_ran << 10,  // add w0, w0, set_uid_ran
        0xd2800ba8,                      // mov x8, exit
        0xd4000001,                      // svc 0
    };
#else
#error "what does a program look like here?"
#endif
    static_assert(program_ran == set_uid_ran + 1);
    constexpr Elf64_Addr base = 0x400000;
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
    } head{};
    auto& header = head.header;
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_entry = base + sizeof head;
    header.e_phoff = sizeof header;
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof head.segment;
    header.e_phnum = 1;
    head.segment.p_type = PT_LOAD;
    head.segment.p_flags = PF_R | PF_X;
    head.segment.p_vaddr = head.segment.p_paddr = base;
    head.segment.p_filesz = head.segment.p_memsz = sizeof head + sizeof code;
    head.segment.p_align = 0x1000;
    std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
    bytes.append(reinterpret_cast<const char*>(code), sizeof code);
    return bytes;
}

union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
};

Result<Fd> bound(int family, int type, const Address& address, socklen_t size) {
    Fd socket{::socket(family, type | SOCK_CLOEXEC, 0)};
    if (!socket || ::bind(socket.get(), &address.any, size) < 0) return system_error("bind");
    if (type == SOCK_STREAM && ::listen(socket.get(), 64) < 0) return system_error("listen");
    return socket;
}

std::uint16_t port_of(const Fd& socket) {
    Address address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket.get(), &address.any, &size) < 0) return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::put_up(const ipc::Admission* admission, const Fd& root) {
    std::unique_ptr<Stage> stage(new Stage);
    auto& scene = stage->scene;
    scene.token = random_text();
    scene.supervisor = ::getpid();
    char host_name[65]{};
    (void)::gethostname(host_name, sizeof host_name - 1);
    scene.host_name = host_name;
    const bool jailed = admission != nullptr && admission->jailed && admission->root != "/";
    const auto slash = jailed ? admission->root.rfind('/') : 0;
    const auto beside = jailed ? admission->root.substr(0, slash) : std::string("/tmp");
    if ((::geteuid() == 0 && !is_roots_way(beside)) || !stage->put_up_outside(beside)) {
        TRY(stage->put_up_outside("/tmp"));
    }
    if (admission != nullptr) {
        TRY(stage->put_up_inside(*admission, root));
    }
    TRY(stage->listen());
    stage->share();
    return stage;
}

Result<void> Stage::put_up_outside(const std::string& beside) {
    auto path = beside + prefix + "XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return system_error(path);
    outside_ = Fd{::open(path.c_str(), as_folder)};
    scene.outside = path;
    scene.secret = path + "/secret";
    if (::geteuid() == 0) scene.private_secret = path + "/private";
    scene.socket = path + "/socket";
    TRY(write_file(outside_.get(), "secret", scene.token, 0666));
    TRY(write_file(outside_.get(), "private", scene.token, 0600));
    std::vector<char> handle(sizeof(file_handle) + MAX_HANDLE_SZ);
    auto* head = reinterpret_cast<file_handle*>(handle.data());
    head->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    if (::name_to_handle_at(outside_.get(), "secret", head, &mount, 0) == 0)
        scene.handle = std::move(handle);
    if (::fchmod(outside_.get(), 0777) < 0) return system_error(path);
    return base::success();
}

// The user and programs of his may be there, and hostile: below a folder that he can change, names
// are made with his rights, and what is root's is made by descriptors and never started unseen.
Result<void> Stage::put_up_inside(const ipc::Admission& admission, const Fd& root) {
    user_ = {admission.uid, admission.gid, {}};
    const auto place = admission.jailed ? std::string(".") : '.' + admission.start;
    home_ = Fd{::openat(root.get(), place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    inside_name_ = std::string(prefix + 1) + random_text();
    const bool roots = home_ && is_roots(home_.get());
    // Where nothing can be made there are no attacks that need it.
    if (!home_ || !make_folder(home_.get(), inside_name_.c_str(), roots ? nullptr : &user_)) {
        inside_name_.clear();
        return base::success();
    }
    inside_ = Fd{::openat(home_.get(), inside_name_.c_str(), as_folder)};
    struct stat here {};
    if (!inside_ || ::fstat(inside_.get(), &here) < 0) return system_error(inside_name_);
    if (!roots && here.st_uid != user_.uid)
        return base::Error{inside_name_ + ": somebody has put another folder there", EPERM};
    if (roots && ::fchown(inside_.get(), user_.uid, user_.gid) < 0)
        return system_error(inside_name_);
    TRY(fill_inside());
    if (::fchmod(inside_.get(), 0777) < 0) return system_error(inside_name_);
    const auto on_host = admission.jailed ? admission.root : admission.start;
    scene.inside = (admission.jailed ? std::string{} : on_host) + '/' + inside_name_;
    inside_on_host = (on_host == "/" ? std::string{} : on_host) + '/' + inside_name_;
    struct stat there {};
    scene.movable = ::fstat(outside_.get(), &there) == 0 && here.st_dev == there.st_dev;
    return base::success();
}

Result<void> Stage::fill_inside() {
    const int folder = inside_.get();
    TRY(scene.program, write_file(folder, "program", program(), 0755));
    TRY(scene.set_uid, write_file(folder, "set-uid", program(), 04755));
    TRY(const auto as_user, jail::Borrowed::take(user_));
    TRY(write_file(folder, "victim", "x", 0644));
    std::string up;
    for (int i = 0; i < 40; ++i) up += "../";
    if (::symlinkat(scene.secret.c_str(), folder, "absolute") < 0 ||
        ::symlinkat((up + scene.secret).c_str(), folder, "relative") < 0 ||
        ::symlinkat(scene.outside.c_str(), folder, "other") < 0 ||
        ::mkdirat(folder, "race", 0755) < 0 || ::mkdirat(folder, "deep", 0755) < 0)
        return system_error(inside_name_);
    return base::success();
}

Result<void> Stage::listen() {
    Address address{};
    address.v4.sin_family = AF_INET;
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TRY(tcp_, bound(AF_INET, SOCK_STREAM, address, sizeof address.v4));
    TRY(udp_, bound(AF_INET, SOCK_DGRAM, address, sizeof address.v4));
    scene.tcp_port = port_of(tcp_);
    scene.udp_port = port_of(udp_);
    address = {};
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    if (auto made = bound(AF_INET6, SOCK_STREAM, address, sizeof address.v6)) {
        tcp6_ = std::move(made.value());
        scene.tcp6_port = port_of(tcp6_);
    }
    address = {};
    address.local.sun_family = AF_UNIX;
    std::strncpy(address.local.sun_path, scene.socket.c_str(), sizeof address.local.sun_path - 1);
    TRY(local_, bound(AF_UNIX, SOCK_STREAM, address, sizeof address.local));
    if (::fchmodat(outside_.get(), "socket", 0777, 0) < 0) return system_error(scene.socket);
    scene.abstract_name = "jailftpd-self-test-" + scene.token;
    address = {};
    address.local.sun_family = AF_UNIX;
    std::memcpy(address.local.sun_path + 1, scene.abstract_name.data(), scene.abstract_name.size());
    TRY(abstract_, bound(AF_UNIX, SOCK_STREAM, address,
                         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 +
                                                scene.abstract_name.size())));
    return base::success();
}

// Where the kernel has none of these, the attacks find nothing.
void Stage::share() {
    (void)!::getrandom(&scene.key, sizeof scene.key, 0);
    scene.key |= 1;
    shared_memory_ = ::shmget(scene.key, 4096, IPC_CREAT | IPC_EXCL | 0666);
    semaphores_ = ::semget(scene.key, 1, IPC_CREAT | IPC_EXCL | 0666);
    queue_ = ::msgget(scene.key, IPC_CREAT | IPC_EXCL | 0666);
    scene.queue = "/jailftpd-self-test-" + scene.token;
    const mqd_t queue = ::mq_open(scene.queue.c_str(), O_RDWR | O_CREAT | O_EXCL, 0666, nullptr);
    if (queue >= 0) (void)::fchmod(queue, 0666), ::mq_close(queue);
}

void Stage::tidy_up() const {
    if (!inside_) return;
    (void)::renameat(outside_.get(), "deep", inside_.get(), "deep");
    for (const auto* each : {"hard", "fetched", "device", "not-wanted", "renamed"})
        (void)::unlinkat(inside_.get(), each, 0);
    (void)::unlinkat(inside_.get(), "not-wanted-folder", AT_REMOVEDIR);
    if (::faccessat(inside_.get(), "victim", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
        if (const auto as_user = jail::Borrowed::take(user_))
            (void)write_file(inside_.get(), "victim", "x", 0644);
    }
}

Stage::~Stage() {
    if (inside_) {
        tidy_up();
        for (const auto* each :
             {"program", "set-uid", "victim", "absolute", "relative", "race", "other"})
            (void)::unlinkat(inside_.get(), each, 0);
        for (const auto* each : {"race", "other", "deep"})
            (void)::unlinkat(inside_.get(), each, AT_REMOVEDIR);
        (void)::unlinkat(home_.get(), inside_name_.c_str(), AT_REMOVEDIR);
    }
    if (outside_) {
        for (const auto* each : {"secret", "private", "socket", "planted"})
            (void)::unlinkat(outside_.get(), each, 0);
        for (const auto* each : {"planted-folder", "deep"})
            (void)::unlinkat(outside_.get(), each, AT_REMOVEDIR);
        (void)::rmdir(scene.outside.c_str());
    }
    if (shared_memory_ >= 0) (void)::shmctl(shared_memory_, IPC_RMID, nullptr);
    if (semaphores_ >= 0) (void)::semctl(semaphores_, 0, IPC_RMID);
    if (queue_ >= 0) (void)::msgctl(queue_, IPC_RMID, nullptr);
    if (!scene.queue.empty()) (void)::mq_unlink(scene.queue.c_str());
}

}  // namespace proof
