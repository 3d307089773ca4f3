# A bad line between two network devices, for kernels without netem: each packet is kept for a while, and some are lost.
# Usage: bad-line.pl DEVICE DEVICE MILLISECONDS LOSS SEED. It makes both devices, which are gone when it ends; it ends with
# its standard input.
use strict;
use warnings;
use Fcntl;
use Time::HiRes qw(time);

my ($left, $right, $delay, $loss, $seed) = @ARGV;
srand($seed);

sub device {
    my ($name) = @_;
    sysopen(my $tun, '/dev/net/tun', O_RDWR | O_NONBLOCK) or die "no /dev/net/tun: $!";
    # TUNSETIFF; IFF_TUN | IFF_NO_PI.
    ioctl($tun, 0x400454ca, pack('a16 s x22', $name, 0x1001)) or die "no device $name: $!";
    return $tun;
}

my @ends = (device($left), device($right));
my @waiting = ([], []);
$| = 1;
print "ready\n";

while (1) {
    my ($in, $rest) = ('', undefined());
    vec($in, fileno($_), 1) = 1 for @ends, \*STDIN;
    for my $queue (@waiting) {
        next unless @$queue;
        my $left = $queue->[0][0] - time();
        $rest = $left < 0 ? 0 : $left if !defined $rest || $left < $rest;
    }
    my $found = select(my $ready = $in, undef, undef, $rest);
    if ($found > 0 && vec($ready, fileno(STDIN), 1)) {
        exit 0 unless sysread(STDIN, my $word, 64);
    }
    for my $from (0, 1) {
        my $to = 1 - $from;
        if ($found > 0 && vec($ready, fileno($ends[$from]), 1)) {
            while (sysread($ends[$from], my $packet, 65536)) {
                push @{ $waiting[$to] }, [time() + $delay / 2000, $packet] if rand() >= $loss;
            }
        }
        while (@{ $waiting[$to] } && $waiting[$to][0][0] <= time()) {
            # A device that is down takes nothing: the packet is lost.
            syswrite($ends[$to], (shift @{ $waiting[$to] })->[1]);
        }
    }
}

sub undefined { return undef }
