// SPDX-License-Identifier: MIT
// Who may include whom, kept true; and the reader of the #include lines put to the test itself.
#include "includes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Sources, IncludeOnlyWhatTheirFolderMay) {
    const auto survey = includes::survey(JAILFTPD_SOURCE);
    EXPECT_GT(survey.files, 20U);
    EXPECT_THAT(survey.objections, IsEmpty());
}

TEST(IncludeLines, AreFoundHoweverTheyAreWritten) {
    EXPECT_THAT(includes::included_by("#include \"base/fd.hpp\"\n"
                                      "  #  include   <vector>  // why\n"
                                      "#include<map>\n"
                                      "// #include \"ftp/path.hpp\"\n"
                                      "#include\n"
                                      "#include \"unfinished\n"
                                      "#define include \"x\"\n"
                                      "#include \"config/options.def\""),
                ElementsAre("base/fd.hpp", "<vector>", "<map>", "config/options.def"));
}

TEST(Folders, AreTheProcesses) {
    EXPECT_EQ(includes::folder_of("server/ftp/path.cpp"), "ftp");
    EXPECT_EQ(includes::folder_of("server/session/commands/site.cpp"), "session");
    EXPECT_EQ(includes::folder_of("server/main.cpp"), "main");
    EXPECT_EQ(includes::folder_of("config/options.cpp"), "config");
    EXPECT_EQ(includes::folder_of("jail/plan.hpp"), "jail");
}

TEST(Rules, SayWhoMayIncludeWhom) {
    struct Case {
        const char* file;
        const char* included;
        bool allowed;
    };
    // clang-format off
    constexpr Case cases[] = {
        {"server/base/fd.hpp",             "base/result.hpp",       true},
        {"server/base/fd.hpp",             "ftp/path.hpp",          false},
        {"server/ftp/path.cpp",            "base/text.hpp",         true},
        {"server/ftp/path.cpp",            "ipc/channel.hpp",       false},
        {"server/ftp/path.cpp",            "<unistd.h>",            false},
        {"server/ftp/path.cpp",            "<vector>",              true},
        {"jail/plan.cpp",                  "config/options.hpp",    false},
        {"config/options.cpp",             "config/options.def",    true},
        {"config/options.cpp",             "<ini.h>",               true},
        {"server/supervisor/registry.cpp", "<ini.h>",               false},
        {"server/supervisor/registry.cpp", "broker/admission.hpp",  true},
        {"server/supervisor/registry.cpp", "ftp/replies.hpp",       false},
        {"server/supervisor/registry.cpp", "<boost/asio.hpp>",      true},
        {"server/broker/admission.cpp",    "supervisor/limits.hpp", false},
        {"server/broker/admission.cpp",    "<openssl/evp.h>",       false},
        {"server/helpers/helpers.cpp",     "broker/admission.hpp",  true},
        {"server/authenticator/pam.cpp",   "helpers/homes.hpp",     true},
        {"server/authenticator/pam.cpp",   "<security/pam_appl.h>", true},
        {"server/spawner/spawner.cpp",     "session/session.hpp",   false},
        {"server/spawner/spawner.cpp",     "<boost/asio.hpp>",      false},
        {"server/control/lines.cpp",       "ftp/replies.hpp",       true},
        {"server/control/lines.cpp",       "jail/plan.hpp",         false},
        {"server/session/commands/a.cpp",  "jail/plans.hpp",        true},
        {"server/session/session.cpp",     "broker/admission.hpp",  false},
        {"server/session/session.cpp",     "supervisor/limits.hpp", false},
        {"server/session/session.cpp",     "greeter/greeter.hpp",   false},
        {"server/session/session.cpp",     "<spdlog/spdlog.h>",     false},
        {"server/greeter/greeter.cpp",     "control/control.hpp",   true},
        {"server/main.cpp",                "session/session.hpp",   true},
        {"server/main.cpp",                "ftp/path.hpp",          false},
        // no way round the table
        {"server/session/session.cpp",     "server/broker/a.hpp",   false},
        {"server/session/session.cpp",     "../broker/a.hpp",       false},
        {"server/session/session.cpp",     "ftp/../broker/a.hpp",   false},
        {"server/session/session.cpp",     "session.hpp",           false},
        {"server/novelty/a.cpp",           "base/fd.hpp",           false},
    };
    // clang-format on
    for (const auto& c : cases) {
        EXPECT_EQ(includes::objection(c.file, c.included).empty(), c.allowed)
            << c.file << " includes " << c.included;
    }
}

TEST(Survey, FindsABadFile) {
    std::string tree = (fs::temp_directory_path() / "includes-XXXXXX").string();
    ASSERT_NE(mkdtemp(tree.data()), nullptr);
    fs::create_directories(fs::path(tree) / "server/ftp");
    std::ofstream(fs::path(tree) / "server/ftp/bad.cpp")
        << "#include \"ftp/bad.hpp\"\n#include \"session/session.hpp\"\n#include <fcntl.h>\n";
    const auto survey = includes::survey(tree);
    fs::remove_all(tree);
    EXPECT_EQ(survey.files, 1U);
    EXPECT_THAT(survey.objections,
                ElementsAre("server/ftp/bad.cpp includes <fcntl.h>: ftp makes no system calls",
                            "server/ftp/bad.cpp includes session/session.hpp: ftp may not use "
                            "session"));
}

}  // namespace
