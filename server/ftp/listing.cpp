// SPDX-License-Identifier: MIT
// Lines of LIST, NLST, STAT, MLSD and MLST, and the options of LIST; runs in the session.
#include "ftp/listing.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

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

std::string permissions(mode_t mode) {
    const auto letter = [mode](mode_t bit, char yes) { return (mode & bit) != 0 ? yes : '-'; };
    const auto execute = [mode](mode_t bit, mode_t special, char yes) {
        return execute_letter((mode & bit) != 0, (mode & special) != 0, yes);
    };
    return {type_letter(mode),
            letter(S_IRUSR, 'r'),
            letter(S_IWUSR, 'w'),
            execute(S_IXUSR, S_ISUID, 's'),
            letter(S_IRGRP, 'r'),
            letter(S_IWGRP, 'w'),
            execute(S_IXGRP, S_ISGID, 's'),
            letter(S_IROTH, 'r'),
            letter(S_IWOTH, 'w'),
            execute(S_IXOTH, S_ISVTX, 't')};
}

std::string left_of(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

std::string right_of(const std::string& text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string owner(const std::string& name, unsigned long number, bool hide_ids) {
    if (hide_ids) return "ftp";
    return name.empty() ? std::to_string(number) : name;
}

// "May 07 12:30", or with the year when it is older than half a year or in the future.
std::string date(std::int64_t mtime, const View& view) {
    constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto moment = view.calendar(mtime);
    const bool with_year = mtime > view.now || mtime < view.now - recent;
    std::array<char, 80> text{};
    const int length = with_year ? std::snprintf(text.data(), text.size(), "%s %02d  %04lld",
                                                 months[static_cast<std::size_t>(moment.tm_mon)],
                                                 moment.tm_mday, 1900LL + moment.tm_year)
                                 : std::snprintf(text.data(), text.size(), "%s %02d %02d:%02d",
                                                 months[static_cast<std::size_t>(moment.tm_mon)],
                                                 moment.tm_mday, moment.tm_hour, moment.tm_min);
    return {text.data(), static_cast<std::size_t>(length)};
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

std::string type_fact(const Entry& entry, Relation relation) {
    if (S_ISDIR(entry.mode)) {
        switch (relation) {
            case Relation::current_folder:
                return "cdir";
            case Relation::parent_folder:
                return "pdir";
            case Relation::ordinary:
                return "dir";
        }
    }
    if (S_ISREG(entry.mode)) return "file";
    if (S_ISLNK(entry.mode)) {
        // Facts end at ";" and the list of them at the first blank: other targets are not told.
        const bool tellable = !entry.target.empty() &&
                              std::none_of(entry.target.begin(), entry.target.end(), [](char c) {
                                  return c == ';' || c == ' ' || c == '\r' || c == '\n';
                              });
        return "OS.unix=slink:" + (tellable ? entry.target : "?");
    }
    switch (entry.mode & S_IFMT) {
        case S_IFBLK:
            return "OS.unix=blkdev";
        case S_IFCHR:
            return "OS.unix=chardev";
        case S_IFIFO:
            return "OS.unix=fifo";
        case S_IFSOCK:
            return "OS.unix=socket";
        default:
            return "OS.unix=unknown";
    }
}

std::string formatted(const char* format, unsigned long long first, unsigned long long second = 0) {
    std::array<char, 64> text{};
    const int length = std::snprintf(text.data(), text.size(), format, first, second);
    return {text.data(), static_cast<std::size_t>(length)};
}

std::string fact_value(Fact fact, const Entry& entry, const Viewer& viewer, Relation relation) {
    switch (fact) {
        case fact_type:
            return type_fact(entry, relation);
        case fact_size:
            return std::to_string(entry.size);
        case fact_modify:
            return format_time(entry.mtime);
        case fact_perm:
            return permissions_fact(entry, viewer);
        case fact_unique:
            return formatted("%llxg%llx", entry.device, entry.inode);
        case fact_mode:
            return formatted("%04llo", entry.mode & 07777U);
        case fact_owner:
            return owner(entry.user, entry.uid, false);
        case fact_group:
            return owner(entry.group, entry.gid, false);
    }
    return {};
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

std::string data_line(std::string line) {
    std::replace(line.begin(), line.end(), '\n', '\0');
    return line += "\r\n";
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

bool comes_before(const SortKey& a, const SortKey& b, const ListOptions& options) {
    const auto& first = options.reversed ? b : a;
    const auto& second = options.reversed ? a : b;
    if (options.newest_first) {
        if (first.mtime != second.mtime) return first.mtime > second.mtime;
        if (first.mtime_nanoseconds != second.mtime_nanoseconds) {
            return first.mtime_nanoseconds > second.mtime_nanoseconds;
        }
    }
    return first.name < second.name;  // compares as unsigned bytes
}

bool comes_before(const Entry& a, const Entry& b, const ListOptions& options) {
    const auto key = [](const Entry& entry) {
        return SortKey{entry.name, entry.mtime, entry.mtime_nanoseconds};
    };
    return comes_before(key(a), key(b), options);
}

void sort(std::span<Entry> entries, const ListOptions& options) {
    std::sort(entries.begin(), entries.end(),
              [&](const Entry& a, const Entry& b) { return comes_before(a, b, options); });
}

std::string ls_line(const Entry& entry, const View& view, bool classify) {
    std::string line = permissions(entry.mode);
    line += ' ' + right_of(std::to_string(entry.links), 4);
    line += ' ' + left_of(owner(entry.user, entry.uid, view.hide_ids), 8);
    line += ' ' + left_of(owner(entry.group, entry.gid, view.hide_ids), 8);
    line += ' ' + right_of(std::to_string(entry.size), 8);
    line += ' ' + date(entry.mtime, view);
    line += ' ' + entry.name;
    if (S_ISLNK(entry.mode) && !entry.target.empty()) line += " -> " + entry.target;
    if (classify && S_ISDIR(entry.mode)) line += '/';
    return data_line(std::move(line));
}

std::string nlst_line(std::string_view prefix, const Entry& entry, bool classify) {
    std::string line(prefix);
    line += entry.name;
    if (classify && S_ISDIR(entry.mode)) line += '/';
    if (classify && S_ISLNK(entry.mode)) line += '@';
    return data_line(std::move(line));
}

std::string folder_heading(std::string_view folder, bool first) {
    return (first ? "" : "\r\n") + data_line(std::string(folder) + ':');
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

std::string fact_line(const Entry& entry, std::string_view shown_name, Facts chosen,
                      const Viewer& viewer, bool hide_ids, Relation relation) {
    if (hide_ids) chosen &= ~static_cast<Facts>(fact_owner | fact_group);
    if (!S_ISREG(entry.mode))
        chosen &= ~static_cast<Facts>(fact_size);  // means nothing to a client
    std::string line;
    for (const auto& row : fact_table) {
        if ((chosen & row.fact) == 0) continue;
        (line += row.name) += '=';
        line += fact_value(row.fact, entry, viewer, relation);
        line += ';';
    }
    line += ' ';
    return line += shown_name;
}

}  // namespace ftp
