module @pad_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<2x6xf32>) -> (tensor<2x6xf32>, tensor<2x3xf32>) {
    %0 = stablehlo.constant dense<0.0> : tensor<f32>
    %1 = stablehlo.pad %arg0, %0, low = [0, 1], high = [0, 2], interior = [0, 0] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x6xf32>
    %2 = stablehlo.slice %arg1 [0:2, 1:4] : (tensor<2x6xf32>) -> tensor<2x3xf32>
    return %1, %2 : tensor<2x6xf32>, tensor<2x3xf32>
  }
}
