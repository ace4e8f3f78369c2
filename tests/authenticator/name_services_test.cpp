// SPDX-License-Identifier: MIT
// Lines of nsswitch.conf, as nsswitch.conf(5) has them; what a child finds loaded.
#include "authenticator/name_services.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using authenticator::end_at_files;
using authenticator::name_services;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* conf =
    "# passwd: nis\n"
    "passwd:         files systemd  # sss\n"
    "group:\tfiles\t[SUCCESS=merge] systemd [!UNAVAIL=return]\n"
    "  shadow : sss files\n"
    "netgroup:       nis\n";

TEST(NameServices, AreInTheirOrder) {
    EXPECT_THAT(name_services(conf, "passwd"), ElementsAre("files", "systemd"));
    EXPECT_THAT(name_services(conf, "shadow"), ElementsAre("sss", "files"));
}

TEST(NameServices, AreNoActions) {
    EXPECT_THAT(name_services(conf, "group"), ElementsAre("files", "systemd"));
}

TEST(NameServices, AreNoneWhereTheDatabaseIsNotNamed) {
    EXPECT_THAT(name_services(conf, "initgroups"), IsEmpty());
    EXPECT_THAT(name_services("", "passwd"), IsEmpty());
}

TEST(NameServices, AreNoPaths) {
    EXPECT_THAT(name_services("passwd: ../evil files", "passwd"), ElementsAre("files"));
}

TEST(NameServices, EndAtFilesOnlyWhereItsAnswerIsAll) {
    EXPECT_TRUE(end_at_files(conf, "passwd"));
    EXPECT_FALSE(end_at_files(conf, "group")) << "merges";
    EXPECT_FALSE(end_at_files(conf, "shadow"));
    EXPECT_FALSE(end_at_files(conf, "initgroups"));
    EXPECT_TRUE(end_at_files("passwd: files\n", "passwd"));
}

// In a child: whatever this program has loaded for other tests.
bool is_loaded_when_held(const char* library) {
    const auto loaded = [library] { return ::dlopen(library, RTLD_NOW | RTLD_NOLOAD) != nullptr; };
    if (loaded()) return false;
    authenticator::hold_name_services("passwd: files\ngroup: compat files\n");
    return loaded();
}

TEST(NameServices, AreInMemoryOnceHeld) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(is_loaded_when_held("libnss_compat.so.2") ? 0 : 1);
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

}  // namespace
