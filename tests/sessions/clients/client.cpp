// SPDX-License-Identifier: MIT
// Whole sessions with the client programs that people use.
#include "tests/sessions/clients/client.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace sessions {

namespace fs = std::filesystem;

std::string checksum(std::string_view content) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_Digest(content.data(), content.size(), bytes.data(), &size, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        std::array<char, 3> digits{};
        (void)std::snprintf(digits.data(), digits.size(), "%02x", bytes[i]);
        hex += digits.data();
    }
    return hex;
}

void set_time(const fs::path& path, time_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

time_t time_of(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mtime : -1;
}

Tree tree_of(const fs::path& folder) {
    Tree tree;
    if (!fs::is_directory(folder)) return {{"(no folder)", folder.string()}};
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        const auto name = fs::relative(entry.path(), folder).string();
        if (entry.is_directory()) {
            tree[name] = "folder";
            continue;
        }
        const auto content = content_of(entry.path());
        tree[name] = std::to_string(content.size()) + " " + checksum(content);
    }
    return tree;
}

std::string unlike(const fs::path& one, const fs::path& other) {
    const auto ours = tree_of(one);
    const auto theirs = tree_of(other);
    std::string text;
    for (const auto& [name, what] : ours) {
        const auto found = theirs.find(name);
        if (found == theirs.end() || found->second != what)
            text += "in " + one.string() + ": " + name + ", " + what + '\n';
    }
    for (const auto& [name, what] : theirs) {
        const auto found = ours.find(name);
        if (found == ours.end() || found->second != what)
            text += "in " + other.string() + ": " + name + ", " + what + '\n';
    }
    return text;
}

void plant_tree(const fs::path& folder, uid_t owner) {
    for (const auto* name :
         {"", "nested", "nested/deeper", "nested/deeper/still", "empty", "a folder",
          "gr\xc3\xbc\xc3\x9f"
          "e"})
        make_folder(folder / name, owner);
    const std::map<std::string, std::string> files = {
        {"plain.txt", "one\ntwo\n"},
        {"dos.txt", "one\r\ntwo\r\n"},
        {"nothing", ""},
        {"large.bin", noise(large)},
        {".hidden", "h"},
        {"with blank", "b"},
        {"nested/deeper/still/leaf", "leaf"},
        {"a folder/two  blanks", "2"},
        {"gr\xc3\xbc\xc3\x9f"
         "e/\xe6\x96\x87\xe4\xbb\xb6.txt",
         "utf-8"},
        {"per%cent+plus&and#hash", "odd"},
        {"quote'd", "q"},
        {"(brackets)[too]", "br"},
    };
    for (const auto& [name, content] : files) write_file(folder / name, content, owner);
    for (int number = 0; number < 40; ++number)
        write_file(folder / "nested" / ("small-" + std::to_string(number)), noise(700, 7), owner);
}

namespace {

void have_global_ipv6() {
    in6_ifreq request{};
    request.ifr6_ifindex = static_cast<int>(::if_nametoindex("lo"));
    request.ifr6_prefixlen = 128;
    ::inet_pton(AF_INET6, global_ipv6, &request.ifr6_addr);
    const base::Fd any{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (::ioctl(any.get(), SIOCSIFADDR, &request) < 0 && errno != EEXIST)
        ADD_FAILURE() << "no second address for lo: " << std::strerror(errno);
}

}  // namespace

std::vector<Way> all_ways() {
    return {
        {"PassiveIpv4", "127.0.0.1", false},
        {"ActiveIpv4", "127.0.0.1", true},
        {"PassiveIpv6", global_ipv6, false},
        {"ActiveIpv6", global_ipv6, true},
    };
}

void Client::SetUp() {
    program_ = program_path(name_);
    if (program_.empty()) return skip_or_fail("no " + name_ + " on this machine");
    have_global_ipv6();
}

Ran Client::run_program(const std::string& path, std::vector<std::string> arguments,
                        const std::string& input) const {
    std::vector<std::string> command = {"/usr/bin/env", "-C", here.string(), path};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return sessions::run(
        command, {.input = input, .environment = {"LC_ALL=C.UTF-8", "TERM=dumb", "PAGER=cat"}});
}

std::string said(const Ran& ran) {
    return "it ended with " + std::to_string(ran.status) + " and said\n" + ran.out + "----\n" +
           ran.err;
}

}  // namespace sessions
