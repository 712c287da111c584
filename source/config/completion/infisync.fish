# Completion of infisync for fish. Load it with: infisync completion fish | source

set -g __infisync_valued @VALUED@

# Prints the command that is being typed, or "child" once a child's command has begun.
function __infisync_command
    set -l words (commandline -opc)
    set -l cmd
    set -l skip 0
    for word in $words[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --
                test "$cmd" = run; and set cmd child
                break
            case '-*'
                contains -- $word $__infisync_valued; and set skip 1
            case '*'
                switch "$cmd"
                    case ''
                        set cmd $word
                    case vault
                        set cmd "vault $word"
                    case run
                        set cmd child
                        break
                end
        end
    end
    echo $cmd
end
function __infisync_at
    set -l cmd (__infisync_command)
    contains -- "$cmd" $argv
end
# Completes the child's command line, as if it stood alone.
function __infisync_child
    set -l words (commandline -opc)
    set -l skip 0
    for i in (seq 3 (count $words))
        if test $skip = 1
            set skip 0
        else if test $words[$i] = --
            complete -C (string join ' ' -- (string escape -- $words[(math $i + 1)..]) (commandline -ct))
            return
        else if not string match -q -- '-*' $words[$i]
            complete -C (string join ' ' -- (string escape -- $words[$i..]) (commandline -ct))
            return
        else if contains -- $words[$i] $__infisync_valued
            set skip 1
        end
    end
    # What begins with a dash is still infisync's.
    set -l word (commandline -ct)
    string match -q -- '-*' $word; or complete -C "$word"
end

complete -c infisync -f
complete -c infisync -n '__infisync_at run child' -a '(__infisync_child)'
@COMPLETE@
