%% What Erlang's side of bench/erlang.js does: it reads commands, one a line, and answers each with a line.
-module(offsite_bench).
-export([main/0]).

main() ->
    Main = self(),
    spawn(fun() -> listen(Main) end),
    ["connect", Name] = next(),
    Node = list_to_atom(Name),
    pong = net_adm:ping(Node),
    io:format("ready~n"),
    loop(Node).

loop(Node) ->
    case next() of
        ["awaited", Count] ->
            Samples = [awaited(Node) || _ <- lists:seq(1, list_to_integer(Count))],
            io:format("~s~n", [lists:join(" ", [integer_to_list(S) || S <- Samples])]);
        ["together", Count, Processes] ->
            io:format("~b~n", [together(Node, list_to_integer(Count), list_to_integer(Processes))])
    end,
    loop(Node).

%% One call, in nanoseconds.
awaited(Node) ->
    Start = erlang:monotonic_time(nanosecond),
    3 = erpc:call(Node, erlang, '+', [1, 2]),
    erlang:monotonic_time(nanosecond) - Start.

%% All calls, shared out among some processes that call one after another, in nanoseconds.
together(Node, Count, Processes) ->
    Each = Count div Processes,
    Start = erlang:monotonic_time(nanosecond),
    Workers = [spawn_monitor(fun() -> calls(Node, Each) end) || _ <- lists:seq(1, Processes)],
    [receive {'DOWN', Monitor, process, Pid, normal} -> ok end || {Pid, Monitor} <- Workers],
    erlang:monotonic_time(nanosecond) - Start.

calls(_, 0) -> ok;
calls(Node, Left) ->
    3 = erpc:call(Node, erlang, '+', [1, 2]),
    calls(Node, Left - 1).

next() ->
    receive {line, Line} -> string:lexemes(Line, " \n") end.

%% The end of the input is the end of the program, also in the midst of a round, so nothing is left if the bench is
%% killed. Nobody reads what is still to be written then.
listen(Main) ->
    case io:get_line("") of
        Line when is_list(Line) ->
            Main ! {line, Line},
            listen(Main);
        _ ->
            erlang:halt(0, [{flush, false}])
    end.
