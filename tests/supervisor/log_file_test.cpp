// SPDX-License-Identifier: MIT
// A log file that is moved, deleted, full, locked or no file at all.
#include "supervisor/log_file.hpp"

#include "supervisor/record_lines.hpp"
#include "tests/config/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using supervisor::LogFile;
using namespace std::chrono_literals;
using testing::HasSubstr;
namespace fs = std::filesystem;

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

class LogFileTest : public testing::Test {
  protected:
    LogFileTest() { testing::internal::CaptureStderr(); }
    ~LogFileTest() override {
        if (!told_) (void)testing::internal::GetCapturedStderr();
    }

    // What the administrator was told; once.
    std::string told() {
        told_ = true;
        return testing::internal::GetCapturedStderr();
    }
    LogFile make(bool lock = true) {
        return {path, lock, [](std::uint64_t count) { return supervisor::lost_text(count); }};
    }
    void add(LogFile& file, const std::string& line) {
        file.add(line);
        file.flush(now);
    }

    test::Folder folder;
    const std::string path = folder.path("log");
    LogFile::Clock::time_point now = LogFile::Clock::now();

  private:
    bool told_ = false;
};

TEST_F(LogFileTest, IsMadeForRootAloneAndAppendedTo) {
    auto file = make();
    file.flush(now);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0) << "although nothing was logged";
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    add(file, "one");
    add(file, "two");
    auto again = make();
    add(again, "three");
    EXPECT_EQ(content(path), "one\ntwo\nthree\n");
    EXPECT_EQ(file.due(), std::nullopt);
    EXPECT_EQ(told(), "");
}

TEST_F(LogFileTest, IsReopenedWhenItWasMoved) {
    auto file = make();
    add(file, "one");
    fs::rename(path, path + ".1");
    now += LogFile::look_interval;
    add(file, "two");
    EXPECT_EQ(content(path), "two\n");
    EXPECT_EQ(content(path + ".1"), "one\n");
}

TEST_F(LogFileTest, IsReopenedWhenItWasReplacedOrDeleted) {
    auto file = make();
    add(file, "one");
    fs::rename(path, path + ".1");
    std::ofstream(path) << "new\n";
    now += LogFile::look_interval;
    add(file, "two");
    EXPECT_EQ(content(path), "new\ntwo\n");
    fs::remove(path);
    now += LogFile::look_interval;
    add(file, "three");
    EXPECT_EQ(content(path), "three\n");
}

TEST_F(LogFileTest, MayBeTruncated) {
    auto file = make();
    add(file, "one");
    fs::resize_file(path, 0);
    add(file, "two");
    EXPECT_EQ(content(path), "two\n");
}

TEST_F(LogFileTest, IsReopenedAtOnceWhenAsked) {
    auto file = make();
    add(file, "one");
    fs::rename(path, path + ".1");
    file.reopen();
    add(file, "two");
    EXPECT_EQ(content(path), "two\n");
}

TEST_F(LogFileTest, KeepsLinesUntilTheDiskHasRoom) {
    fs::create_symlink("/dev/full", path);
    auto file = make();
    add(file, "one");
    now += LogFile::retry_interval;
    add(file, "two");
    EXPECT_EQ(file.due(), now + LogFile::retry_interval);
    fs::remove(path);
    now += LogFile::retry_interval;
    add(file, "three");
    EXPECT_EQ(content(path), "one\ntwo\nthree\n");
    EXPECT_EQ(file.due(), std::nullopt);
    const auto all = told();
    EXPECT_THAT(all, HasSubstr("log\": No space left on device"));
    EXPECT_EQ(all.find("No space"), all.rfind("No space")) << "said once";
    EXPECT_THAT(all, HasSubstr("can be written again"));
}

TEST_F(LogFileTest, TriesNoMoreThanOnceASecond) {
    fs::create_symlink("/dev/full", path);
    auto file = make();
    add(file, "one");
    fs::remove(path);
    now += LogFile::retry_interval - 1ms;
    file.flush(now);
    EXPECT_FALSE(fs::exists(path));
    now += 1ms;
    file.flush(now);
    EXPECT_EQ(content(path), "one\n");
}

TEST_F(LogFileTest, LosesWhatHasNoRoomAndTellsHowMuch) {
    const auto place = folder.path("later");
    fs::create_symlink(place + "/log", path);
    auto file = make();
    const std::string line(1023, 'x');
    const auto fits = LogFile::most_waiting / 1024;
    for (std::size_t i = 0; i < fits + 10; ++i) file.add(line);
    file.flush(now);
    fs::create_directory(place);
    now = LogFile::Clock::now() + LogFile::retry_interval;
    file.flush(now);
    const auto all = content(path);
    EXPECT_EQ(all.size(), fits * 1024 + 16);
    EXPECT_TRUE(all.ends_with("x\n10 records lost\n"));
    const auto words = told();
    EXPECT_THAT(words, HasSubstr("10 records lost"));
    EXPECT_THAT(words, HasSubstr("No such file or directory"));
}

TEST_F(LogFileTest, SaysWhatIsLostInTheEnd) {
    fs::create_symlink("/dev/full", path);
    auto file = make();
    add(file, "one");
    add(file, "two");
    file.finish();
    EXPECT_THAT(told(), HasSubstr("2 records lost"));
}

TEST_F(LogFileTest, WritesALineThatFitsOnlyInPartToItsEndLater) {
    auto file = make();
    add(file, "one");
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{10, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    add(file, "second line");
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(content(path), "one\nsecond");
    now += LogFile::retry_interval;
    add(file, "three");
    EXPECT_EQ(content(path), "one\nsecond line\nthree\n");
}

TEST_F(LogFileTest, LeavesNoHalfLineInAnotherFile) {
    auto file = make();
    add(file, "one");
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{10, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    add(file, "second line");
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    fs::rename(path, path + ".1");
    now += LogFile::retry_interval;
    file.flush(now);
    EXPECT_EQ(content(path), "second line\n");
}

// Container images make the log a link to the standard output of their first process.
TEST_F(LogFileTest, MayBeALinkToAPipe) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const base::Fd read_end{ends[0]};
    const base::Fd write_end{ends[1]};
    fs::create_symlink("/proc/self/fd/" + std::to_string(write_end.get()), path);
    auto file = make();
    add(file, "one");
    now += LogFile::look_interval;
    add(file, "two");
    char bytes[64];
    EXPECT_EQ(std::string(bytes, static_cast<std::size_t>(::read(read_end.get(), bytes, 64))),
              "one\ntwo\n");
    EXPECT_EQ(::fcntl(write_end.get(), F_GETFL) & O_NONBLOCK, 0) << "others write to it, too";
    EXPECT_EQ(told(), "");
}

TEST_F(LogFileTest, DoesNotHangOnAPipeThatNobodyReads) {
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    auto file = make();
    add(file, "one");
    const base::Fd reader{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    now += LogFile::retry_interval;
    const std::string line(65536, 'x');
    add(file, line);
    now += LogFile::retry_interval;
    add(file, line);
    std::string all;
    for (int tries = 0; tries < 4; ++tries) {
        char bytes[65536];
        for (ssize_t count = 0; (count = ::read(reader.get(), bytes, sizeof bytes)) > 0;)
            all.append(bytes, static_cast<std::size_t>(count));
        now += LogFile::retry_interval;
        file.flush(now);
    }
    EXPECT_EQ(all, "one\n" + line + '\n' + line + '\n') << all.size();
}

TEST_F(LogFileTest, IsWrittenAlthoughSomebodyKeepsTheLock) {
    std::ofstream(path) << "";
    const base::Fd other{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    struct flock lock {};
    lock.l_type = F_WRLCK;
    ASSERT_EQ(::fcntl(other.get(), F_OFD_SETLK, &lock), 0);
    auto file = make();
    const auto start = LogFile::Clock::now();
    add(file, "one");
    add(file, "two");
    EXPECT_LT(LogFile::Clock::now() - start, 5s);
    EXPECT_EQ(content(path), "one\ntwo\n");
    EXPECT_THAT(told(), HasSubstr("is locked by another process"));
}

TEST_F(LogFileTest, IsNotLockedForLong) {
    auto file = make();
    add(file, "one");
    const base::Fd other{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    struct flock lock {};
    lock.l_type = F_WRLCK;
    EXPECT_EQ(::fcntl(other.get(), F_OFD_SETLK, &lock), 0);
}

TEST_F(LogFileTest, AsksForNoLockWithNoLogLock) {
    std::ofstream(path) << "";
    const base::Fd other{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    struct flock lock {};
    lock.l_type = F_WRLCK;
    ASSERT_EQ(::fcntl(other.get(), F_OFD_SETLK, &lock), 0);
    auto file = make(false);
    add(file, "one");
    EXPECT_EQ(content(path), "one\n");
    EXPECT_EQ(told(), "");
}

TEST_F(LogFileTest, MayBeADirectory) {
    fs::create_directory(path);
    auto file = make();
    add(file, "one");
    EXPECT_THAT(told(), HasSubstr("Is a directory"));
}

}  // namespace
