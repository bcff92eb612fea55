module @select_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xi1>, %arg1: tensor<2x3xf32>, %arg2: tensor<2x3xf32>, %arg3: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
    %0 = stablehlo.select %arg0, %arg1, %arg2 : tensor<2x3xi1>, tensor<2x3xf32>
    %1 = stablehlo.constant dense<0.0> : tensor<2x3xf32>
    %2 = stablehlo.select %arg0, %arg3, %1 : tensor<2x3xi1>, tensor<2x3xf32>
    %3 = stablehlo.select %arg0, %1, %arg3 : tensor<2x3xi1>, tensor<2x3xf32>
    return %0, %2, %3 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
  }
}
