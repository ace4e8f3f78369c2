// SPDX-License-Identifier: MIT
// Lines of LIST, NLST, STAT, MLSD and MLST, and the options of LIST; runs in the session.
#include "ftp/listing.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include <sys/stat.h>

namespace ftp {
namespace {

constexpr std::int64_t recent = std::int64_t{182} * 24 * 60 * 60;

char type_letter(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR:
            return 'd';
        case S_IFLNK:
            return 'l';
        case S_IFBLK:
            return 'b';
        case S_IFCHR:
            return 'c';
        case S_IFIFO:
            return 'p';
        case S_IFSOCK:
            return 's';
        default:
            return '-';
    }
}

// The third letter of a group tells of x and of the special bit.
char execute_letter(bool execute, bool special, char letter) {
    if (!special) return execute ? 'x' : '-';
    return execute ? letter : static_cast<char>(letter - 'a' + 'A');
}

void add_permissions(std::string& to, mode_t mode) {
    const auto letter = [mode](mode_t bit, char yes) { return (mode & bit) != 0 ? yes : '-'; };
    const auto execute = [mode](mode_t bit, mode_t special, char yes) {
        return execute_letter((mode & bit) != 0, (mode & special) != 0, yes);
    };
    const std::array letters = {type_letter(mode),
                                letter(S_IRUSR, 'r'),
                                letter(S_IWUSR, 'w'),
                                execute(S_IXUSR, S_ISUID, 's'),
                                letter(S_IRGRP, 'r'),
                                letter(S_IWGRP, 'w'),
                                execute(S_IXGRP, S_ISGID, 's'),
                                letter(S_IROTH, 'r'),
                                letter(S_IWOTH, 'w'),
                                execute(S_IXOTH, S_ISVTX, 't')};
    to.append(letters.data(), letters.size());
}

class Digits {
  public:
    explicit Digits(std::uint64_t number, int base = 10)
        : end_(std::to_chars(text_.data(), text_.data() + text_.size(), number, base).ptr) {}
    [[nodiscard]] std::string_view view() const { return {text_.data(), end_}; }

  private:
    std::array<char, 20> text_;
    const char* end_;
};

void add_left(std::string& to, std::string_view text, std::size_t width) {
    to += text;
    if (text.size() < width) to.append(width - text.size(), ' ');
}

void add_right(std::string& to, std::string_view text, std::size_t width) {
    if (text.size() < width) to.append(width - text.size(), ' ');
    to += text;
}

void add_owner(std::string& to, std::string_view name, std::uint32_t number, bool hide_ids) {
    constexpr std::size_t width = 8;
    if (hide_ids) return add_left(to, "ftp", width);
    add_left(to, name.empty() ? Digits(number).view() : name, width);
}

// "May 07 12:30", or with the year when it is older than half a year or in the future.
void add_date(std::string& to, std::int64_t mtime, const View& view) {
    constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto moment = view.calendar(mtime);
    to += months[static_cast<std::size_t>(moment.tm_mon)];
    to += ' ';
    add_two_digits(to, moment.tm_mday);
    to += ' ';
    if (mtime > view.now || mtime < view.now - recent) {
        to += ' ';
        add_year(to, moment);
    } else {
        add_two_digits(to, moment.tm_hour);
        to += ':';
        add_two_digits(to, moment.tm_min);
    }
}

// ----- facts -----

struct FactName {
    Fact fact;
    std::string_view name;
};

// clang-format off
constexpr FactName fact_table[] = {
    {fact_type,   "type"},
    {fact_size,   "size"},
    {fact_modify, "modify"},
    {fact_perm,   "perm"},
    {fact_unique, "unique"},
    {fact_mode,   "UNIX.mode"},
    {fact_owner,  "UNIX.owner"},
    {fact_group,  "UNIX.group"},
};
// clang-format on

void add_type(std::string& to, const Entry& entry, Relation relation) {
    switch (entry.mode & S_IFMT) {
        case S_IFDIR:
            if (relation != Relation::ordinary)
                to += relation == Relation::current_folder ? 'c' : 'p';
            to += "dir";
            return;
        case S_IFREG:
            to += "file";
            return;
        case S_IFLNK: {
            // Facts end at ";" and the list of them at the first blank: other targets are not told.
            const bool tellable =
                !entry.target.empty() && entry.target.find_first_of("; \r\n") == entry.target.npos;
            to += "OS.unix=slink:";
            to += tellable ? entry.target : "?";
            return;
        }
        case S_IFBLK:
            to += "OS.unix=blkdev";
            return;
        case S_IFCHR:
            to += "OS.unix=chardev";
            return;
        case S_IFIFO:
            to += "OS.unix=fifo";
            return;
        case S_IFSOCK:
            to += "OS.unix=socket";
            return;
        default:
            to += "OS.unix=unknown";
    }
}

void add_value(std::string& to, Fact fact, const Entry& entry, const Viewer& viewer,
               Relation relation) {
    switch (fact) {
        case fact_type:
            return add_type(to, entry, relation);
        case fact_size:
            to += Digits(entry.size).view();
            return;
        case fact_modify:
            return add_time(to, entry.mtime);
        case fact_perm:
            to += permissions_fact(entry, viewer);
            return;
        case fact_unique:
            to += Digits(entry.device, 16).view();
            to += 'g';
            to += Digits(entry.inode, 16).view();
            return;
        case fact_mode:
            for (const unsigned place : {9U, 6U, 3U, 0U})
                to += static_cast<char>('0' + (entry.mode >> place & 07U));
            return;
        case fact_owner:
            to += entry.user.empty() ? Digits(entry.uid).view() : entry.user;
            return;
        case fact_group:
            to += entry.group.empty() ? Digits(entry.gid).view() : entry.group;
            return;
    }
}

// What access(2) would say, without asking it for every name.
bool may(const Entry& entry, const Viewer& viewer, mode_t bit) {
    if (viewer.uid == 0) return true;
    if (viewer.uid == entry.uid) return (entry.mode & (bit << 6)) != 0;
    const auto& groups = viewer.groups;
    if (std::find(groups.begin(), groups.end(), entry.gid) != groups.end()) {
        return (entry.mode & (bit << 3)) != 0;
    }
    return (entry.mode & bit) != 0;
}

}  // namespace

void end_data_line(std::string& text, std::size_t start) {
    if (text.find('\n', start) != text.npos)
        std::replace(text.begin() + static_cast<std::ptrdiff_t>(start), text.end(), '\n', '\0');
    text += "\r\n";
}

ListRequest parse_list(std::string_view argument) {
    ListRequest request{{}, argument};
    if (!argument.starts_with('-')) return request;
    const auto end = argument.find(' ');
    request.path = end == argument.npos ? std::string_view{} : argument.substr(end + 1);
    for (const char letter : argument.substr(1, end == argument.npos ? end : end - 1)) {
        switch (letter) {
            case 'a':
                request.options.all = true;
                break;
            case 'l':
                request.options.long_lines = true;
                break;
            case 'R':
                request.options.recursive = true;
                break;
            case 'r':
                request.options.reversed = true;
                break;
            case 't':
                request.options.newest_first = true;
                break;
            case 'F':
                request.options.classify = true;
                break;
            case 'U':
                request.options.unsorted = true;
                break;
            default:
                break;
        }
    }
    return request;
}

bool shown(std::string_view name, bool all, bool force_dot_files) {
    if (all || !name.starts_with('.')) return true;
    return force_dot_files && name != "." && name != "..";
}

SortKey sort_key(std::string_view name, std::size_t shared) {
    std::uint64_t first = 0;
    for (std::size_t i = shared; i < shared + sizeof first; ++i)
        first = first << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0U);
    return {first, 0, name};
}

SortKey newest_first(std::string_view name, std::int64_t mtime, std::uint32_t nanoseconds) {
    constexpr auto sign = std::uint64_t{1} << 63;
    return {~(static_cast<std::uint64_t>(mtime) ^ sign), ~nanoseconds, name};
}

bool comes_before(const SortKey& a, const SortKey& b, const ListOptions& options) {
    const auto& first = options.reversed ? b : a;
    const auto& second = options.reversed ? a : b;
    if (first.first != second.first) return first.first < second.first;
    if (first.second != second.second) return first.second < second.second;
    return first.name < second.name;  // compares as unsigned bytes
}

void add_ls_front(std::string& to, const Entry& entry, const View& view) {
    add_permissions(to, entry.mode);
    to += ' ';
    add_right(to, Digits(entry.links).view(), 4);
    to += ' ';
    add_owner(to, entry.user, entry.uid, view.hide_ids);
    to += ' ';
    add_owner(to, entry.group, entry.gid, view.hide_ids);
    to += ' ';
    add_right(to, Digits(entry.size).view(), 8);
    to += ' ';
    add_date(to, entry.mtime, view);
    to += ' ';
}

void add_ls_name(std::string& to, const Entry& entry, bool classify) {
    to += entry.name;
    if (S_ISLNK(entry.mode) && !entry.target.empty()) (to += " -> ") += entry.target;
    if (classify && S_ISDIR(entry.mode)) to += '/';
}

void add_nlst_name(std::string& to, const Entry& entry, bool classify) {
    to += entry.name;
    if (classify && S_ISDIR(entry.mode)) to += '/';
    if (classify && S_ISLNK(entry.mode)) to += '@';
}

Facts parse_facts(std::string_view list) {
    Facts chosen = 0;
    for (const auto item : base::split(base::trim(list), ';')) {
        for (const auto& row : fact_table) {
            if (base::equal_ignoring_case(item, row.name)) chosen |= row.fact;
        }
    }
    return chosen;
}

std::string fact_names(Facts chosen) {
    std::string names;
    for (const auto& row : fact_table) {
        if ((chosen & row.fact) != 0) (names += row.name) += ';';
    }
    return names;
}

std::string fact_features(Facts chosen) {
    std::string names;
    for (const auto& row : fact_table) {
        (names += row.name) += (chosen & row.fact) != 0 ? "*;" : ";";
    }
    return names;
}

// RFC 3659, 7.5.5.
std::string permissions_fact(const Entry& entry, const Viewer& viewer) {
    const bool folder = S_ISDIR(entry.mode);
    const bool file = S_ISREG(entry.mode);
    const bool writable = may(entry, viewer, S_IWOTH);
    const bool movable = viewer.rename_delete && viewer.parent_writable;
    const struct {
        char letter;
        bool granted;
    } rights[] = {
        {'a', file && viewer.upload && writable},
        {'c', folder && viewer.upload && writable},
        {'d', movable},
        {'e', folder && may(entry, viewer, S_IXOTH)},
        {'f', movable},
        {'l', folder && viewer.listing && may(entry, viewer, S_IROTH)},
        {'m', folder && viewer.make_folders && writable},
        {'p', folder && viewer.rename_delete && writable},
        {'r', file && viewer.download && may(entry, viewer, S_IROTH)},
        {'w', file && viewer.upload && writable},
    };
    std::string letters;
    for (const auto& right : rights) {
        if (right.granted) letters += right.letter;
    }
    return letters;
}

void add_facts(std::string& to, const Entry& entry, std::string_view shown_name, Facts chosen,
               const Viewer& viewer, bool hide_ids, Relation relation) {
    if (hide_ids) chosen &= ~static_cast<Facts>(fact_owner | fact_group);
    if (!S_ISREG(entry.mode))
        chosen &= ~static_cast<Facts>(fact_size);  // means nothing to a client
    for (const auto& row : fact_table) {
        if ((chosen & row.fact) == 0) continue;
        (to += row.name) += '=';
        add_value(to, row.fact, entry, viewer, relation);
        to += ';';
    }
    (to += ' ') += shown_name;
}

}  // namespace ftp
