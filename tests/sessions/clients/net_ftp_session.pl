# SPDX-License-Identifier: MIT
# Sessions over TLS with Perl's own Net::FTP, run by ftps_test.cpp: HOST PORT explicit|implicit passive|active. The first thing that is
# not as it should be ends it with a message.
use strict;
use warnings;
use IO::Socket::SSL;
use Net::FTP;

my ($host, $port, $kind, $mode) = @ARGV;
my $data = pack("N*", map { $_ * 2654435761 % 4294967296 } 1 .. 500_000);

for my $version ("TLSv1_2", "TLSv1_3") {
    my $ftp = Net::FTP->new(
        $host,
        Port            => $port,
        Timeout         => 20,
        Passive         => $mode eq "passive",
        SSL             => $kind eq "implicit",
        SSL_version     => $version,
        SSL_verify_mode => SSL_VERIFY_NONE,
    ) or die "no connection: $@";
    my $well = sub { $_[0] or die "$version: $_[1]: " . $ftp->code . " " . $ftp->message };

    $well->($ftp->starttls, "starttls") if $kind eq "explicit";
    $ftp->get_sslversion eq $version or die "this is " . $ftp->get_sslversion;
    $well->($ftp->login("alice", "wonderland"), "login");
    $well->($ftp->prot("P"), "prot");
    $well->($ftp->binary, "binary");
    $well->($ftp->cwd("files"), "cwd");
    for my $name ("data", "with blank", "empty") {
        my $content = $name eq "empty" ? "" : $data;
        open(my $from, "<", \$content) or die;
        $well->($ftp->put($from, $name), "put $name");
        my $back = "";
        open(my $to, ">", \$back) or die;
        $well->($ftp->get($name, $to), "get $name");
        $back eq $content or die "$version: $name has come back different";
        $ftp->size($name) == length $content or die "$version: size of $name";
    }
    join(",", sort $ftp->ls) eq "data,empty,with blank" or die "$version: ls: " . join(",", $ftp->ls);
    $well->(scalar(grep { / with blank$/ } $ftp->dir), "dir");
    $well->($ftp->delete($_), "delete") for $ftp->ls;
    $well->($ftp->quit, "quit");
}
print "all is well\n";
