// SPDX-License-Identifier: MIT
// The folders of tests/session/jail.hpp.
#include "tests/session/jail.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace testing_support {

namespace fs = std::filesystem;

Jail::Jail() : top_((fs::temp_directory_path() / "jail-XXXXXX").string()), umask_(::umask(022)) {
    if (::mkdtemp(top_.data()) == nullptr) throw std::runtime_error("mkdtemp");
    fs::permissions(top_, fs::perms(0755));
    fs::create_directory(path());
    std::ofstream(outside("secret")) << "outside";
}

Jail::~Jail() {
    std::error_code ignored;
    for (const auto& each : fs::recursive_directory_iterator(top_, ignored))
        if (fs::is_directory(each.symlink_status(ignored)))
            fs::permissions(each.path(), fs::perms(0700), ignored);
    fs::remove_all(top_, ignored);
    ::umask(umask_);
}

std::string Jail::outside(std::string_view name) const {
    return name.empty() ? top_ : top_ + '/' + std::string(name);
}

std::string Jail::path(std::string_view name) const {
    return name.empty() ? outside("jail") : outside("jail/") + std::string(name);
}

void Jail::file(const std::string& name, std::string_view content, mode_t mode) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name)) << content;
    fs::permissions(path(name), fs::perms(mode));
}

void Jail::folder(const std::string& name, mode_t mode) const {
    fs::create_directories(path(name));
    fs::permissions(path(name), fs::perms(mode));
}

void Jail::link(const std::string& name, const std::string& target) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    fs::create_symlink(target, path(name));
}

bool Jail::exists(const std::string& name) const {
    return fs::exists(fs::symlink_status(path(name)));
}

std::string Jail::content(const std::string& name) const {
    std::ifstream file(path(name));
    if (!file) return "(none)";
    return {std::istreambuf_iterator<char>(file), {}};
}

struct stat Jail::status(const std::string& name) const {
    struct stat status {};
    (void)::lstat(path(name).c_str(), &status);
    return status;
}

session::Root Jail::root(session::Way way) const {
    return session::Root(base::Fd{::open(path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)}, way);
}

session::Files Jail::files(session::Way way) const { return session::Files(root(way)); }

void Jail::give_to(uid_t owner) const {
    if (::geteuid() != 0) return;
    const auto give = [owner](const fs::path& each) {
        if (::lchown(each.c_str(), owner, owner) < 0) throw std::runtime_error("lchown");
    };
    give(path());
    for (const auto& each : fs::recursive_directory_iterator(path())) give(each.path());
}

std::string as_somebody(const std::function<std::string()>& action) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("pipe2");
    base::Fd reading{ends[0]};
    base::Fd writing{ends[1]};
    const auto child = ::fork();
    if (child == 0) {
        if (::geteuid() == 0 && (::setresgid(somebody, somebody, somebody) < 0 ||
                                 ::setresuid(somebody, somebody, somebody) < 0))
            ::_exit(1);
        const auto said = action();
        ::_exit(::write(writing.get(), said.data(), said.size()) < 0 ? 1 : 0);
    }
    writing.close();
    std::string said;
    char bytes[4096];
    for (;;) {
        const auto count = ::read(reading.get(), bytes, sizeof bytes);
        if (count <= 0) break;
        said.append(bytes, static_cast<std::size_t>(count));
    }
    int status = 0;
    (void)::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? said : "(the child failed)";
}

}  // namespace testing_support
