// SPDX-License-Identifier: MIT
// Whole sessions with Python's ftplib; what is said and checked is in ftplib_session.py.
#include "tests/sessions/clients/client.hpp"
#include "tests/sessions/paths.hpp"

using namespace sessions;

namespace {

class Ftplib : public Client, public testing::WithParamInterface<Way> {
  protected:
    Ftplib() : Client("python3") {}
};

}  // namespace

TEST_P(Ftplib, IsServed) {
    const auto& way = GetParam();
    Server server(jailed, {.address = way.address});
    const auto script = source_path("tests/sessions/clients/ftplib_session.py");
    const auto ran = run({"-B", script.string(), way.address, std::to_string(server.port()),
                          way.active ? "active" : "passive"});
    EXPECT_EQ(ran.status, 0) << said(ran);
    EXPECT_EQ(ran.out, "all is well\n");
}

INSTANTIATE_TEST_SUITE_P(All, Ftplib, testing::ValuesIn(all_ways()),
                         [](const auto& each) { return each.param.name; });
