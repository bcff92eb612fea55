module @scaled_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<2x3xf32>, %arg2: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
    %0 = stablehlo.constant dense<3.0> : tensor<f32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %2 = stablehlo.multiply %arg0, %1 : tensor<2x3xf32>
    %3 = stablehlo.constant dense<1.0> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %5 = stablehlo.subtract %2, %4 : tensor<2x3xf32>
    %6 = stablehlo.constant dense<0.5> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
    %8 = stablehlo.divide %5, %7 : tensor<2x3xf32>
    %9 = stablehlo.add %8, %arg1 : tensor<2x3xf32>
    %10 = stablehlo.divide %arg2, %7 : tensor<2x3xf32>
    %11 = stablehlo.multiply %10, %1 : tensor<2x3xf32>
    return %9, %11, %arg2 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
  }
}
