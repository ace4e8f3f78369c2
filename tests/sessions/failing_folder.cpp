// SPDX-License-Identifier: MIT
// The kernel's FUSE protocol, as far as a folder of write-only files needs it; a thread of the
// test.
#include "tests/sessions/failing_folder.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace sessions {

struct FailingFolder::Request {
    fuse_in_header header;
    const char* body;

    template <typename In>
    [[nodiscard]] In as() const {
        In in{};
        std::memcpy(&in, body, sizeof in);
        return in;
    }
    template <typename In>
    [[nodiscard]] const char* behind() const {
        return body + sizeof(In);
    }
};

namespace {

constexpr std::size_t largest_write = 128 << 10;

fuse_attr attributes(std::uint64_t number, bool folder, std::uint64_t size, uid_t owner,
                     bool no_links) {
    fuse_attr result{};
    result.ino = number;
    result.size = size;
    result.blocks = (size + 511) / 512;
    result.mode = folder ? S_IFDIR | 0755U : S_IFREG | 0644U;
    result.nlink = folder ? 2 : no_links ? 0 : 1;
    result.uid = owner;
    result.gid = owner;
    result.blksize = 4096;
    return result;
}

}  // namespace

FailingFolder::FailingFolder(std::filesystem::path path, uid_t owner)
    : path_(std::move(path)), owner_(owner) {
    nodes_[FUSE_ROOT_ID] = {"", true, 0};
    std::filesystem::create_directories(path_);
    device_ = base::Fd{::open("/dev/fuse", O_RDWR | O_CLOEXEC)};
    stop_ = base::Fd{::eventfd(0, EFD_CLOEXEC)};
    const auto options = "fd=" + std::to_string(device_.get()) +
                         ",rootmode=40755,user_id=0,group_id=0,allow_other,default_permissions";
    if (!device_ || !stop_ ||
        ::mount("failing", path_.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) < 0) {
        trouble_ = std::string("no FUSE here: ") + std::strerror(errno);
        return;
    }
    thread_ = std::thread([this] { serve(); });
}

FailingFolder::~FailingFolder() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    thread_.join();
    device_.close();  // whoever still waits for an answer has an error now
    ::umount2(path_.c_str(), MNT_DETACH);
}

void FailingFolder::serve() {
    std::vector<char> space(largest_write + 4096);
    for (;;) {
        std::array<pollfd, 2> wanted{{{device_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
        (void)::poll(wanted.data(), wanted.size(), -1);
        if (wanted[1].revents != 0) return;
        const auto got = ::read(device_.get(), space.data(), space.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
        if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) return;
        Request request{{}, space.data() + sizeof(fuse_in_header)};
        std::memcpy(&request.header, space.data(), sizeof request.header);
        answer(request);
    }
}

void FailingFolder::answer(const Request& request) {
    const auto number = request.header.nodeid;
    switch (request.header.opcode) {
        case FUSE_INIT: {
            fuse_init_out out{};
            out.major = FUSE_KERNEL_VERSION;
            out.minor = 31;  // what this speaks
            out.max_write = largest_write;
            return reply_with(request, out);
        }
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
            return;  // these have no answer
        case FUSE_LOOKUP:
            return reply_entry(request, find(request.body));
        case FUSE_GETATTR:
        case FUSE_SETATTR: {
            const auto found = nodes_.find(number);
            if (found == nodes_.end()) return reply(request, ENOENT);
            auto& node = found->second;
            if (request.header.opcode == FUSE_SETATTR) {
                const auto in = request.as<fuse_setattr_in>();
                if ((in.valid & FATTR_SIZE) != 0) node.size = in.size;
            }
            fuse_attr_out out{};
            out.attr = attributes(number, node.folder, node.size, owner_, failures.links);
            return reply_with(request, out);
        }
        case FUSE_OPEN:
        case FUSE_OPENDIR:
            return reply_with(request, fuse_open_out{});
        case FUSE_READDIR:
        case FUSE_RELEASE:
        case FUSE_RELEASEDIR:
            return reply(request, 0);
        case FUSE_CREATE:
            return make(request, request.behind<fuse_create_in>(), false);
        case FUSE_MKDIR:
            return make(request, request.behind<fuse_mkdir_in>(), true);
        case FUSE_WRITE: {
            const auto in = request.as<fuse_write_in>();
            const auto end = in.offset + in.size;
            if (failures.write != 0 && end > failures.room) return reply(request, failures.write);
            auto& node = nodes_[number];
            node.size = std::max(node.size, end);
            fuse_write_out out{};
            out.size = in.size;
            return reply_with(request, out);
        }
        case FUSE_FLUSH:
            return reply(request, failures.close);
        case FUSE_FSYNC:
            std::this_thread::sleep_for(std::chrono::milliseconds(failures.slow));
            ++synced.files;
            synced.size = nodes_[number].size;
            return reply(request, failures.sync);
        case FUSE_FSYNCDIR:
            ++synced.folders;
            return reply(request, failures.folder);
        case FUSE_UNLINK:
        case FUSE_RMDIR:
            return reply(request, nodes_.erase(find(request.body)) != 0 ? 0 : ENOENT);
        case FUSE_RENAME:
        case FUSE_RENAME2: {
            const char* from = request.header.opcode == FUSE_RENAME
                                   ? request.behind<fuse_rename_in>()
                                   : request.behind<fuse_rename2_in>();
            const auto which = find(from);
            if (failures.rename != 0) return reply(request, failures.rename);
            if (which == 0) return reply(request, ENOENT);
            nodes_[which].name = from + std::strlen(from) + 1;
            return reply(request, 0);
        }
        default:
            return reply(request, ENOSYS);
    }
}

void FailingFolder::reply(const Request& request, int error, const void* data, std::size_t size) {
    fuse_out_header header{};
    header.len = static_cast<std::uint32_t>(sizeof header + size);
    header.error = -error;
    header.unique = request.header.unique;
    const std::array<iovec, 2> parts{{{&header, sizeof header}, {const_cast<void*>(data), size}}};
    (void)!::writev(device_.get(), parts.data(), size > 0 ? 2 : 1);
}

void FailingFolder::reply_entry(const Request& request, std::uint64_t number) {
    const auto found = nodes_.find(number);
    if (found == nodes_.end()) return reply(request, ENOENT);
    fuse_entry_out out{};
    out.nodeid = number;
    out.attr = attributes(number, found->second.folder, found->second.size, owner_, failures.links);
    reply_with(request, out);
}

void FailingFolder::make(const Request& request, const char* name, bool folder) {
    if (failures.create != 0) return reply(request, failures.create);
    const auto number = ++last_;
    nodes_[number] = {name, folder, 0};
    if (folder) return reply_entry(request, number);
    struct {
        fuse_entry_out entry;
        fuse_open_out open;
    } out{};
    out.entry.nodeid = number;
    out.entry.attr = attributes(number, false, 0, owner_, failures.links);
    reply_with(request, out);
}

std::uint64_t FailingFolder::find(const std::string& name) const {
    for (const auto& [number, node] : nodes_) {
        if (node.name == name && number != FUSE_ROOT_ID) return number;
    }
    return 0;
}

}  // namespace sessions
