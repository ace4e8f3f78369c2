// SPDX-License-Identifier: MIT
// Files of PAM services.
#include "authenticator/pam_stack.hpp"

#include "tests/config/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using authenticator::has_pam_service;
using authenticator::pam_stack;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct PamStack : testing::Test {
    test::Folder folder;

    std::vector<std::string> modules(const std::string& service) {
        std::vector<std::string> names;
        for (const auto& each : pam_stack(service, {folder.path()})) names.push_back(each.name);
        return names;
    }
};

TEST_F(PamStack, IsReadInOrder) {
    folder.write("ftp",
                 "# comment\n\n"
                 "auth\trequired   pam_listfile.so item=user sense=deny file=/etc/ftpusers # why\n"
                 "-auth optional pam_maybe.so\n"
                 "account [success=1 default=ignore] /lib/security/pam_unix.so nodelay\r\n"
                 "  session required pam_permit.so\n"
                 "broken line\n");
    EXPECT_THAT(modules("ftp"),
                ElementsAre("pam_listfile.so", "pam_maybe.so", "pam_unix.so", "pam_permit.so"));
    const auto first = pam_stack("ftp", {folder.path()}).front();
    EXPECT_THAT(first.arguments, ElementsAre("item=user", "sense=deny", "file=/etc/ftpusers"));
    EXPECT_EQ(first.argument("file"), "/etc/ftpusers");
    EXPECT_EQ(first.argument("sense"), "deny");
    EXPECT_EQ(first.argument("fil"), "");
    EXPECT_EQ(first.argument("onerr"), "");
}

TEST_F(PamStack, ContainsWhatIsIncluded) {
    folder.write(
        "ftp",
        "@include common-auth\nauth include more\nauth substack sub\nauth required last.so\n");
    folder.write("common-auth", "auth required first.so\n");
    folder.write("more", "auth required second.so\n");
    folder.write("sub", "auth required third.so\nauth include missing\n");
    EXPECT_THAT(modules("ftp"), ElementsAre("first.so", "second.so", "third.so", "last.so"));
    folder.write("ftp", "@include " + folder.path("more") + "\n");
    EXPECT_THAT(modules("ftp"), ElementsAre("second.so"));
}

TEST_F(PamStack, ContainsOfAnIncludedFileOnlyThePhaseThatIncludesIt) {
    folder.write("both", "auth required pam_a.so\n-session required pam_s.so\n@include all\n");
    folder.write("all", "auth required pam_b.so\nsession required pam_t.so\n");
    folder.write("vsftpd", "session include both\n");
    EXPECT_THAT(modules("vsftpd"), testing::ElementsAre("pam_s.so", "pam_t.so"));
    folder.write("vsftpd", "-AUTH substack both\n");
    EXPECT_THAT(modules("vsftpd"), testing::ElementsAre("pam_a.so", "pam_b.so"));
    folder.write("vsftpd", "@include both\n");
    EXPECT_EQ(modules("vsftpd").size(), 4U);
}

TEST_F(PamStack, EndsWhereFilesIncludeEachOther) {
    folder.write("ftp", "@include ftp\nauth required one.so\n");
    EXPECT_THAT(modules("ftp"), SizeIs(9));
}

TEST_F(PamStack, KnowsLinesThatGoOn) {
    folder.write("ftp", "auth required \\\n  pam_shells.so \\\n  one=1\n");
    EXPECT_THAT(modules("ftp"), ElementsAre("pam_shells.so"));
    EXPECT_EQ(pam_stack("ftp", {folder.path()}).front().argument("one"), "1");
}

TEST_F(PamStack, KeepsBlanksInBrackets) {
    folder.write("ftp", "auth required pam_x.so [a=b c] d=[e\n");
    const auto module = pam_stack("ftp", {folder.path()}).front();
    EXPECT_EQ(module.argument("a"), "b c");
    EXPECT_EQ(module.argument("d"), "[e");
}

// As PAM does.
TEST_F(PamStack, IsFoundWhereverItMayBe) {
    folder.write("vsftpd", "auth required here.so\n");
    folder.write("other", "auth required other.so\n");
    folder.write("vendor/ftp", "auth required vendor.so\n");
    folder.write("vendor/vsftpd", "auth required not-this.so\n");
    const authenticator::PamFolders folders = {folder.path(), folder.path("vendor")};
    EXPECT_EQ(pam_stack("VSFTPD", folders).front().name, "here.so");
    EXPECT_EQ(pam_stack("ftp", folders).front().name, "vendor.so");
    EXPECT_EQ(pam_stack("missing", folders).front().name, "other.so");
    EXPECT_TRUE(has_pam_service("VSFTPD", folders));
    EXPECT_TRUE(has_pam_service("ftp", folders));
    EXPECT_FALSE(has_pam_service("missing", folders));
}

TEST_F(PamStack, LooksNowhereElse) {
    folder.write("x", "auth required x.so\n");
    folder.write("pam.d/ftp", "auth required ftp.so\n");
    const authenticator::PamFolders folders = {folder.path("pam.d")};
    for (const auto* service : {"../x", "/etc/passwd", "", ".", "..", "a/b"}) {
        EXPECT_THAT(pam_stack(service, folders), IsEmpty()) << service;
        EXPECT_FALSE(has_pam_service(service, folders)) << service;
    }
}

}  // namespace
