// SPDX-License-Identifier: MIT
// packaging/MIGRATING.md tells administrators of every difference that the conversations allow, and
// of no other in the table that is made for them.
#include "tests/sessions/paths.hpp"
#include "tests/sessions/side_by_side/differences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

// The first cells, in bold, of the table below the heading "Seen by clients".
std::vector<std::string> told() {
    std::ifstream file(sessions::source_path("packaging/MIGRATING.md"));
    std::vector<std::string> names;
    bool there = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("## ")) there = line == "## Seen by clients";
        const auto end = line.find("** |");
        if (there && line.starts_with("| **") && end != line.npos)
            names.push_back(line.substr(4, end - 4));
    }
    return names;
}

}  // namespace

TEST(Migrating, TellsOfEveryDifference) {
    EXPECT_THAT(told(), testing::UnorderedElementsAreArray(sessions::Difference::all()));
}
