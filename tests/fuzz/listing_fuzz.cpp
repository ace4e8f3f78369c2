// SPDX-License-Identifier: MIT
// LIST options, listing lines of any entry, OPTS and facts: one line each, whatever the names are.
#include "ftp/features.hpp"
#include "ftp/listing.hpp"
#include "input.hpp"

#include <cstring>

namespace {

template <typename Number>
Number number(fuzz::Input& input) {
    Number result{};
    const auto bytes = input.take(sizeof result);
    std::memcpy(&result, bytes.data(), bytes.size());
    return result;
}

void is_one_line(std::string_view line) {
    HOLDS(line.ends_with("\r\n"));
    HOLDS(line.find('\n') == line.size() - 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    ftp::Entry entry;
    entry.mode = number<mode_t>(input);
    entry.links = number<std::uint32_t>(input);
    entry.uid = number<uid_t>(input);
    entry.gid = number<gid_t>(input);
    entry.size = number<std::uint64_t>(input);
    entry.mtime = number<std::int64_t>(input);
    entry.inode = number<std::uint64_t>(input);
    const auto choice = input.byte();
    entry.target = input.until('/');
    entry.name = input.rest();

    ftp::View view;
    view.now = 1795560645;
    view.calendar = (choice & 1) != 0 ? ftp::utc_calendar : ftp::local_calendar;
    view.hide_ids = (choice & 2) != 0;
    const bool classify = (choice & 4) != 0;
    std::string line = "a line before\r\n";
    const auto start = line.size();
    ftp::add_ls_front(line, entry, view);
    ftp::add_ls_name(line, entry, classify);
    ftp::end_data_line(line, start);
    is_one_line(std::string_view(line).substr(start));
    line = entry.target;
    ftp::add_nlst_name(line, entry, classify);
    ftp::end_data_line(line, 0);
    is_one_line(line);
    ftp::Viewer viewer;
    viewer.uid = entry.uid + (choice >> 3 & 1);
    viewer.upload = viewer.rename_delete = true;
    std::string facts;
    ftp::add_facts(facts, entry, entry.name, ftp::all_facts, viewer, view.hide_ids);
    line = facts;
    ftp::end_data_line(line, 0);
    is_one_line(line);
    HOLDS(facts.ends_with(' ' + entry.name));
    const auto names_at = facts.size() - entry.name.size() - 1;
    HOLDS(facts.find(' ') == names_at);  // the first blank ends the facts

    const std::string_view text = entry.name;
    const auto request = ftp::parse_list(text);
    HOLDS(request.path.empty() || text.ends_with(request.path));
    HOLDS(text.starts_with('-') || request.path == text);
    const auto chosen = ftp::parse_facts(text);
    HOLDS((chosen & ~ftp::all_facts) == 0);
    HOLDS(ftp::parse_facts(ftp::fact_names(chosen)) == chosen);
    (void)ftp::parse_opts(text);
    return 0;
}
