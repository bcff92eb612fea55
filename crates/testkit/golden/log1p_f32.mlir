module @log1p_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
    %0 = stablehlo.log_plus_one %arg0 : tensor<2x3xf32>
    %1 = stablehlo.constant dense<1.0> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %3 = stablehlo.add %arg0, %2 : tensor<2x3xf32>
    %4 = stablehlo.divide %arg1, %3 : tensor<2x3xf32>
    return %0, %4 : tensor<2x3xf32>, tensor<2x3xf32>
  }
}
