module @all_reduce_bf16 attributes {mhlo.num_replicas = 4 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<4x3xbf16>, %arg1: tensor<4x3xbf16>) -> (tensor<4x3xbf16>, tensor<4x3xbf16>) {
    %0 = "stablehlo.all_reduce"(%arg0) <{replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>}> ({
    ^bb0(%a: tensor<bf16>, %b: tensor<bf16>):
      %s = stablehlo.add %a, %b : tensor<bf16>
      stablehlo.return %s : tensor<bf16>
    }) : (tensor<4x3xbf16>) -> tensor<4x3xbf16>
    %1 = "stablehlo.all_reduce"(%arg1) <{replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>}> ({
    ^bb0(%a: tensor<bf16>, %b: tensor<bf16>):
      %s = stablehlo.add %a, %b : tensor<bf16>
      stablehlo.return %s : tensor<bf16>
    }) : (tensor<4x3xbf16>) -> tensor<4x3xbf16>
    return %0, %1 : tensor<4x3xbf16>, tensor<4x3xbf16>
  }
}
