module go_delay

go 1.22
