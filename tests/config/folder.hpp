// SPDX-License-Identifier: MIT
// A folder of a test's own, with files as the administrator would write them; gone with the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace test {

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "config-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string path(std::string_view name = {}) const {
        return name.empty() ? path_.string() : (path_ / name).string();
    }

    // The path of the file.
    std::string write(std::string_view name, std::string_view content, mode_t mode = 0644) const {
        const auto file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
        EXPECT_EQ(::chmod(file.c_str(), mode), 0);
        return file.string();
    }

  private:
    std::filesystem::path path_;
};

}  // namespace test
